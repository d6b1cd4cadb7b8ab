import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CheckerConfig, SslUrlConfig, UrlConfig } from "../config.ts";
import { codes, parse } from "../testing/parse.ts";
import { mergeRanges } from "./url.ts";

interface Around {
  readonly inReal?: string;
  readonly inService?: string;
}

function check(checker: string, { inReal = "", inService = "" }: Around = {}): [CheckerConfig | undefined, string[]] {
  const lines = `protocol TCP\nlb_algo rr\nlb_kind NAT\n${inService}\nreal_server 10.0.0.2 80 {\n${inReal}\n${checker}\n}`;
  const result = parse(`virtual_server 10.0.0.1 80 {\n${lines}\n}`);
  const said = codes(result)
    .map((code) => code.replace(/ .*/, ""))
    .filter((code) => code !== "accepted");
  return [result.config?.virtualServers[0]?.realServers[0]?.checkers[0], said];
}

const urlsOf = (checker: CheckerConfig | undefined): readonly (UrlConfig | SslUrlConfig)[] =>
  checker !== undefined && "urls" in checker ? checker.urls : [];

const digest = "D36F8F9425C4A8000AD9C4A97185ACA5";

describe("a url", () => {
  const regex = {
    pattern: "up",
    options: [],
    negate: false,
    minOffset: 0,
    maxOffset: undefined,
    stack: undefined,
  };
  test.each<[string, object, string[]]>([
    ['path "/b c"', { path: "/b c" }, []],
    ["path /b\npath /c", { path: "/c" }, ["replaced"]],
    [`digest ${digest}`, { digest: digest.toLowerCase() }, []],
    [`digest ${digest}\ndigest ${digest.replace("D", "0")}`, { digest: digest.toLowerCase() }, ["repeated"]],
    ["digest D36F", { digest: undefined }, ["invalid-value"]],
    [
      "status_code 200-204 301",
      {
        statusCodes: [
          { min: 200, max: 204 },
          { min: 301, max: 301 },
        ],
      },
      [],
    ],
    ["status_code 204\nstatus_code 200-203", { statusCodes: [{ min: 200, max: 204 }] }, []],
    ["status_code 0200", { statusCodes: [{ min: 200, max: 200 }] }, []],
    ["status_code 100-599", { statusCodes: [{ min: 100, max: 599 }] }, []],
    ["status_code", { statusCodes: [{ min: 200, max: 299 }] }, []],
    ["status_code 99 600 x 300-200 200-", { statusCodes: [{ min: 200, max: 299 }] }, Array(5).fill("invalid-value")],
    ["status_code 99 404", { statusCodes: [{ min: 404, max: 404 }] }, ["invalid-value"]],
    ["regex up", { regex }, []],
    ['regex "is up"', { regex: { ...regex, pattern: "is up" } }, []],
    ["regex a\\\\d", { regex: { ...regex, pattern: "a\\d" } }, []],
    ["regex is up", { regex: undefined }, ["invalid-value"]],
    ['regex "(?R)"', { regex: { ...regex, pattern: "(?R)" } }, ["regex-not-carried-out"]],
    ["regex up\nregex_options ucp", { regex: { ...regex, options: ["ucp"] } }, ["regex-not-carried-out"]],
    ["regex", { regex: undefined }, ["invalid-value"]],
    ["regex 'a", { regex: undefined }, ["invalid-value"]],
    ["regex a\nregex up", { regex }, ["replaced"]],
    [
      "regex up\nregex_no_match\nregex_options multiline caseless\nregex_options caseless",
      { regex: { ...regex, negate: true, options: ["caseless", "multiline"] } },
      [],
    ],
    ["regex up\nregex_options caselss", { regex }, ["invalid-value"]],
    ["regex up\nregex_min_offset 5\nregex_max_offset 5", { regex: { ...regex, minOffset: 5, maxOffset: 5 } }, []],
    ["regex up\nregex_min_offset 6\nregex_max_offset 5", { regex }, ["regex-offset"]],
    ["regex up\nregex_max_offset 0", { regex: { ...regex, maxOffset: 0 } }, []],
    ["regex up\nregex_min_offset -1", { regex }, ["invalid-value"]],
    ["regex up\nregex_stack 5 6", { regex: { ...regex, stack: { start: 5, max: 6 } } }, []],
    ["regex up\nregex_stack 6 5", { regex }, ["invalid-value"]],
    ["regex_no_match\nregex_min_offset 5", { regex: undefined }, ["no-regex"]],
    ["tls_compliant", { tlsCompliant: true }, []],
  ])("%j", (lines, expected, said) => {
    const path = lines.startsWith("path") ? "" : "path /\n";
    const [checker, places] = check(`SSL_GET {\nurl {\n${path}${lines}\n}\n}`);
    expect(urlsOf(checker)).toMatchObject([expected]);
    expect(places).toEqual(said);
  });

  test("without a path is left out, and the checker with the last of them", () => {
    expect(check("HTTP_GET {\nurl {\n}\nurl {\npath /a\n}\n}")).toMatchObject([
      { urls: [{ path: "/a" }] },
      ["no-path"],
    ]);
    expect(check("HTTP_GET {\nurl {\n}\n}")).toEqual([undefined, ["no-url", "no-path"]]);
    expect(check("SSL_GET {\n}")).toEqual([undefined, ["no-url"]]);
  });
});

describe("the checker", () => {
  const url = "url {\npath /\n}";
  test.each<[string, object, string[]]>([
    ["http_protocol 1.0", { httpVersion: "1.0", closeConnection: false }, []],
    ["http_protocol 1.0C", { httpVersion: "1.0", closeConnection: true }, []],
    ["http_protocol 1.0c", { httpVersion: "1.0", closeConnection: true }, []],
    ["http_protocol 1.1", { httpVersion: "1.1", closeConnection: true }, []],
    ["http_protocol 2", { httpVersion: "1.0" }, ["invalid-value"]],
    ["fast_recovery", { fastRecovery: true }, []],
    ["nb_get_retry 4", { retry: 4 }, ["deprecated"]],
    ["nb_get_retry 4\nretry 5", { retry: 5 }, ["deprecated"]],
  ])("%j", (lines, expected, said) => {
    for (const type of ["HTTP_GET", "SSL_GET"]) {
      const [checker, places] = check(`${type} {\n${lines}\n${url}\n}`);
      expect(checker).toMatchObject({ type, ...expected });
      expect(places).toEqual(said);
    }
  });

  const around = { inReal: "virtualhost real", inService: "virtualhost virtual" };
  const names = (lines: string, inUrl: string, where: Around = around) => {
    const [checker, said] = check(`SSL_GET {\n${lines}\nurl {\npath /\n${inUrl}\n}\n}`, where);
    const [found] = urlsOf(checker);
    return [found?.host, found !== undefined && "serverName" in found ? found.serverName : undefined, ...said];
  };

  test("the nearest virtualhost is the Host header", () => {
    expect(names("virtualhost checker", "virtualhost url")[0]).toBe("url");
    expect(names("virtualhost checker", "")[0]).toBe("checker");
    expect(names("", "")[0]).toBe("real");
    expect(names("", "", { inService: "virtualhost virtual" })[0]).toBe("virtual");
    expect(names("", "", {})[0]).toBeUndefined();
    expect(names("virtualhost a\nvirtualhost b", "")).toEqual(["b", undefined, "replaced"]);
    expect(names("virtualhost a\nvirtualhost", "")).toEqual(["a", undefined, "missing-value"]);
  });

  test("SNI is asked for, by a name of its own or by what the request names; the real server's is passed over", () => {
    expect(names("", "virtualhost url")[1]).toBeUndefined();
    expect(names("enable_sni", "virtualhost url")[1]).toBe("url");
    expect(names("enable_sni\nvirtualhost checker", "")[1]).toBe("checker");
    expect(names("enable_sni", "")[1]).toBe("virtual");
    expect(names("sni_name own", "virtualhost url")[1]).toBe("own");
    expect(names("sni_name", "virtualhost url")[1]).toBe("url");
    expect(names("sni_name own\nenable_sni no", "")[1]).toBeUndefined();
    expect(names("sni_name a\nsni_name b", "")).toEqual(["real", "b", "replaced"]);
    expect(names("sni_name a\nsni_name", "")).toEqual(["real", "a", "repeated"]);
  });

  test("tls_compliant of the checker is that of all its urls", () => {
    const [checker] = check("SSL_GET {\ntls_compliant\nurl {\npath /\ntls_compliant no\n}\n}");
    expect(urlsOf(checker)).toMatchObject([{ tlsCompliant: true }]);
    const [plain, said] = check("HTTP_GET {\ntls_compliant\nurl {\npath /\n}\n}");
    expect(urlsOf(plain)[0]).not.toHaveProperty("tlsCompliant");
    expect(said).toEqual(["unknown-keyword"]);
  });
});

test("merged ranges have the same codes, rising and apart", () => {
  const range = fc.tuple(fc.integer({ min: 100, max: 599 }), fc.integer({ min: 0, max: 40 }));
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), (pairs) => {
      const ranges = pairs.map(([min, length]) => ({ min, max: min + length }));
      const merged = mergeRanges(ranges);
      for (const [index, { min, max }] of merged.entries()) {
        expect(min).toBeLessThanOrEqual(max);
        expect(min).toBeGreaterThan((merged[index - 1]?.max ?? 0) + 1);
      }
      const has = (list: typeof ranges, code: number) => list.some(({ min, max }) => min <= code && code <= max);
      for (let code = 100; code < 640; code++) expect(has(merged, code)).toBe(has(ranges, code));
    }),
    { numRuns: 50 },
  );
});
