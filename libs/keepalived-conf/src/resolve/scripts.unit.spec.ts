import { describe, expect, test } from "vitest";
import type { TrackScriptConfig } from "../config.ts";
import { exitCodeOf } from "../diagnostics.ts";
import type { ParseInput } from "../parse-config.ts";
import { codes, instance, parse } from "../testing/parse.ts";

const tracked = instance("track_script {\n chk\n}");

function resolve(lines: string, input: Partial<ParseInput> = {}, after = tracked) {
  const result = parse(`vrrp_script chk {\n${lines}\n}\n${after}`, input);
  const said = codes(result).map((code) => code.replace(/ .*/, ""));
  const script: TrackScriptConfig | undefined = result.config?.scripts[0];
  return { script, refs: result.config?.instances[0]?.trackScripts, said, exit: exitCodeOf(result.diagnostics) };
}

const programs = { executable: (name: string) => ["killall", "/bin/true", "["].includes(name) };

describe("settings", () => {
  test("defaults", () => {
    expect(resolve('script "/bin/true"').script).toEqual({
      name: "chk",
      command: { text: "/bin/true", argv: ["/bin/true"], run: "exec", user: undefined },
      interval: 1_000_000,
      timeout: 1_000_000,
      weight: 0,
      reverse: false,
      rise: 1,
      fall: 1,
      initFail: false,
    });
  });

  test.each<[string, object, string[]]>([
    ["interval 0.5", { interval: 500_000, timeout: 500_000 }, []],
    ["interval 2\ntimeout 1", { interval: 2_000_000, timeout: 1_000_000 }, []],
    ["interval 2\ntimeout 3", { timeout: 3_000_000 }, ["lint/long-timeout"]],
    ["interval 0", { interval: 1_000_000 }, ["invalid-number"]],
    ["weight -2", { weight: -2, reverse: false }, []],
    ["weight 5 reverse", { weight: 5, reverse: true }, []],
    ["weight 300", { weight: 253 }, ["invalid-number"]],
    ["weight 5 backwards", { weight: 5, reverse: false }, ["invalid-value"]],
    ["rise 2\nfall 3\ninit_fail", { rise: 2, fall: 3, initFail: true }, []],
    ["rise 0", { rise: 1 }, ["invalid-number"]],
    ["fall many", { fall: 1 }, ["invalid-number"]],
    ["user www-data adm", { command: { user: { user: "www-data", group: "adm" } } }, []],
    ["user www-data :adm", { command: { user: { user: "www-data", group: "adm" } } }, []],
  ])("%j", (lines, expected, said) => {
    const result = resolve(`script "/bin/true"\n${lines}`);
    expect(result.script).toMatchObject(expected);
    expect(result.said.filter((code) => code !== "script-security")).toEqual(said);
  });
});

describe("programs and shell", () => {
  test.each<[string, "exec" | "shell" | undefined, string[], string[] | undefined]>([
    ['script "killall -0 haproxy"', "exec", ["script-security"], ["killall", "-0", "haproxy"]],
    ["script killall", "exec", ["script-security"], ["killall"]],
    ["script \"/bin/true 'a b' c\\ d\"", "exec", ["script-security"], ["/bin/true", "a b", "c d"]],
    ['script "[[ -f /down ]] && exit 1 || exit 0"', "shell", ["lint/shell-syntax-script"], undefined],
    ['script "[ -f /down ]"', "exec", ["script-security"], ["[", "-f", "/down", "]"]],
    ['script "pidof x | grep 1"', "shell", ["lint/shell-syntax-script"], undefined],
    ['script "exit 0"', "shell", ["lint/shell-syntax-script"], undefined],
    ['script "if true; then exit 1; fi"', "shell", ["lint/shell-syntax-script"], undefined],
    ['script "[[ -z \\"$X\\" ]]"', "shell", ["lint/shell-syntax-script"], undefined],
    ['script "X=1 /bin/true"', "shell", ["lint/shell-syntax-script"], undefined],
    ['script "test $(cat /x) = 1"', "shell", ["lint/shell-syntax-script"], undefined],
    ['script "killall -0 x && exit 1"', "exec", ["script-security", "lint/shell-operators"], undefined],
    ['script "</etc/passwd"', "shell", [], undefined],
    ['script "/no/such/thing -x"', undefined, ["lint/script-not-found"], undefined],
    ["script /bin/true -x", "exec", ["script-security", "lint/unquoted-command"], ["/bin/true"]],
    ['script ""', undefined, ["no-script", "script-unknown"], undefined],
    ["interval 1", undefined, ["no-script", "script-unknown"], undefined],
    ['script "/bin/true \'x"', undefined, ["no-script", "script-syntax", "script-unknown"], undefined],
  ])("%s", (line, run, said, argv) => {
    const result = resolve(line, programs);
    expect(result.script?.command.run).toBe(run);
    expect(result.said.toSorted()).toEqual(said.toSorted());
    if (argv !== undefined) expect(result.script?.command.argv).toEqual(argv);
    expect(result.refs).toHaveLength(run === undefined ? 0 : 1);
  });

  test("the shell sees the quotes that the file had to escape", () => {
    expect(resolve('script "[[ -z \\"$X\\" ]]"', programs).script?.command.text).toBe('[[ -z "$X" ]]');
  });

  test("without knowing the machine, what can be no program is shell", () => {
    expect(resolve('script "[[ -f /x ]]"').script?.command.run).toBe("shell");
    expect(resolve('script "/no/such/thing | x"').script?.command.run).toBe("exec");
  });

  test("keepalived's verdict: a shell script is a problem, a program without script security another", () => {
    expect(resolve('script "[[ -f /x ]]"', programs).exit).toBe(5);
    expect(resolve("script killall", programs).exit).toBe(6);
    const secure = parse(
      `global_defs {\nenable_script_security\n}\nvrrp_script chk {\nscript killall\n}\n${tracked}`,
      programs,
    );
    expect(exitCodeOf(secure.diagnostics)).toBe(0);
  });
});

describe("users", () => {
  const secure = "global_defs {\nenable_script_security\n}\n";
  const userOf = (before: string, input: Partial<ParseInput>) => {
    const result = parse(`${before}vrrp_script chk {\nscript killall\n}\n${tracked}`, { ...programs, ...input });
    return [result.config?.scripts[0]?.command.user, codes(result).map((code) => code.replace(/ .*/, ""))];
  };

  test("script_user, the conventional user, or none", () => {
    const named = "global_defs {\nenable_script_security\nscript_user www adm\n}\n";
    expect(userOf(named, {})).toEqual([{ user: "www", group: "adm", supplementaryGroups: false }, []]);
    const conventional = { user: "keepalived_script", group: undefined, supplementaryGroups: false };
    expect(userOf(secure, { userExists: () => true })).toEqual([conventional, []]);
    expect(userOf(secure, {})).toEqual([undefined, []]);
  });

  test("whose user does not exist is told without an instance, too, as keepalived does", () => {
    const userExists = () => false;
    expect(resolve('script "/bin/true"\nuser nosuch', { userExists }, "")).toMatchObject({
      said: ["unknown-user"],
      exit: 5,
    });
  });

  test("a user that does not exist: the script does not run", () => {
    const nobody = { userExists: () => false };
    // Where it is defined, and once more where it is tracked.
    const twice = ["unknown-user", "script-unknown"];
    expect(userOf(secure, nobody)).toEqual([undefined, twice]);
    expect(userOf("global_defs {\nscript_user www\n}\n", nobody)[1]).toEqual(["unknown-user", ...twice]);
    expect(resolve("script killall\nuser www", { ...programs, ...nobody }).said).toEqual(twice);
    const groups = { userExists: () => true, groupExists: () => false };
    expect(resolve("script killall\nuser www adm", { ...programs, ...groups }).said).toEqual(twice);
    expect(resolve('script killall\nuser www ""', programs).said).toEqual(twice);
    expect(resolve("script killall\nuser www :", { ...programs, ...groups }).said).toEqual(["script-security"]);
  });

  test("an unquoted notify script: its argument is taken for a user", () => {
    const result = parse(instance("notify_master /n.sh master"), { userExists: (name) => name !== "master" });
    expect(result.config?.instances[0]?.notify.master).toBeUndefined();
    const { hint } = result.diagnostics.find(({ code }) => code === "unknown-user") ?? {};
    expect(hint).toBe('a command with arguments has to be quoted: "/n.sh master"');
    expect(exitCodeOf(result.diagnostics)).toBe(0);
  });

  test("a script that others can change runs only without script security", () => {
    const insecure = { scriptWeakness: () => ({ path: "/opt", reason: "everybody" as const }) };
    expect(resolve("script killall", { ...programs, ...insecure })).toMatchObject({ script: { name: "chk" } });
    expect(userOf(secure, insecure)[1]).toEqual(["lint/insecure-script"]);
    const link = { scriptWeakness: () => ({ path: "/bin", reason: "link" as const }) };
    expect(resolve("script killall", { ...programs, ...link })).toMatchObject({
      script: { name: "chk" },
      said: expect.arrayContaining(["script-link"]),
    });
    const { diagnostics } = parse(instance("notify /opt/n.sh"), insecure);
    expect(diagnostics.find(({ code }) => code === "lint/insecure-script")?.message).toBe(
      "notify of VI_1: everybody may write to /opt, so others can change what runs as root",
    );
  });
});

describe("tracking", () => {
  const refs = (lines: string, before = "") => {
    const result = parse(
      `vrrp_script chk {\nscript "/bin/true"\nweight 4\n}\n${before}${instance(`track_script {\n${lines}\n}`)}`,
    );
    return [
      result.config?.instances[0]?.trackScripts,
      codes(result)
        .map((code) => code.replace(/ .*/, ""))
        .filter((code) => code !== "script-security"),
    ];
  };

  test.each<[string, object[], string[]]>([
    ["chk", [{ name: "chk", weight: 4, reverse: false }], []],
    ["chk weight -7", [{ name: "chk", weight: -7, reverse: false }], []],
    ["chk weight 7 reverse", [{ name: "chk", weight: 7, reverse: true }], []],
    ["chk weight 254", [{ name: "chk", weight: 253, reverse: false }], ["invalid-number"]],
    ["chk weight 300", [{ name: "chk", weight: 4, reverse: false }], ["invalid-number"]],
    ["chk weight", [], ["lint/unused-script", "missing-value"]],
    ["chk heavy 7", [], ["lint/unused-script", "unknown-option"]],
    ["chk weight 7 upwards", [{ name: "chk", weight: 7, reverse: false }], ["unknown-option"]],
    ["chk\nchk weight 9", [{ name: "chk", weight: 4, reverse: false }], ["tracked-twice"]],
    ["chk\nother", [{ name: "chk", weight: 4, reverse: false }], ["script-unknown"]],
  ])("%j", (lines, expected, said) => expect(refs(lines)).toEqual([expected, said]));

  test("a script has to be defined above", () => {
    const result = parse(`${tracked}vrrp_script chk {\nscript "/bin/true"\n}\n`);
    expect(result.config?.instances[0]?.trackScripts).toEqual([]);
    const { message, hint } = result.diagnostics.find(({ code }) => code === "script-unknown") ?? {};
    expect(message).toContain("further down");
    expect(hint).toBe("move it above what tracks it");
  });

  test("of two scripts with one name the first counts", () => {
    const text = `vrrp_script chk {\nscript "/one"\n}\nvrrp_script chk {\nscript "/two"\n}\n${tracked}`;
    const result = parse(text);
    expect(result.config?.scripts.map(({ command }) => command.text)).toEqual(["/one"]);
    expect(codes(result)).toContain("lint/duplicate-script 4:1");
  });

  test("an address owner's priority never changes", () => {
    const text = (weight: number) =>
      `vrrp_script chk {\nscript "/x"\nweight ${weight}\n}\n${instance("priority 255\ntrack_script {\nchk\n}")}`;
    expect(parse(text(2)).config?.instances[0]?.trackScripts).toEqual([]);
    expect(codes(parse(text(2)))).toContain("owner-weight 11:1");
    expect(parse(text(0)).config?.instances[0]?.trackScripts).toHaveLength(1);
  });

  test("interfaces: the own one is tracked anyway", () => {
    const result = parse(
      instance("track_interface {\neth0\neth1 weight -5\neth2 weight 3 reverse\neth1\n}\ndont_track_primary"),
    );
    expect(result.config?.instances[0]).toMatchObject({
      trackPrimary: false,
      trackInterfaces: [
        { name: "eth1", weight: -5, reverse: false },
        { name: "eth2", weight: 3, reverse: true },
      ],
    });
    expect(codes(result)).toEqual(["own-interface 6:1", "tracked-twice 9:1"]);
  });
});
