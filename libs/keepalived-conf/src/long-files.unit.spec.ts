// Files of thousands of lines, whatever stands in them: each has to end well within the test's time.
import { describe, expect, test } from "vitest";
import { instance, parse } from "./testing/parse.ts";

describe("long files take time in proportion", () => {
  test.each([
    ["keywords", "priority 100"],
    ["unknown keywords", "prioriti 100"],
    ["braces", "{ } { } { } { } { } { }"],
    ["opened", "vrrp_instance A {"],
    ["closed", "}"],
    ["definitions", "$A=1"],
    ["uses", "router_id $A $B $C, $$$$$$"],
    ["quotes", '"" "" "" "" "'],
    ["comments", "# # # ! ! \\# \\!"],
    ["instances", "vrrp_instance A {\n}"],
    ["scripts", 'vrrp_script A {\nscript "x"\n}'],
    ["addresses", "vrrp_instance A {\nvirtual_ipaddress {\n10.0.0.1\n}\n}"],
  ])("%s", (_name, line) => {
    expect(() => parse(`${line}\n`.repeat(5_000 / line.split("\n").length))).not.toThrow();
  });

  test("one long line", () => {
    for (const piece of ["{", "}", "a{", '"', "$A", "\\", "~SEQ(", "10.0.0.1 "])
      parse(piece.repeat(100_000 / piece.length));
  });

  test("thousands of instances that track thousands of scripts", () => {
    const scripts = Array.from({ length: 1000 }, (_, i) => `vrrp_script s${i} {\nscript "x"\n}\n`).join("");
    const instances = Array.from({ length: 1000 }, (_, i) =>
      instance(`track_script {\ns${i}\n}`, `V${i}`, 1 + (i % 255)),
    );
    const { config } = parse(scripts + instances.join(""));
    expect(config?.instances).toHaveLength(1000);
  });
});
