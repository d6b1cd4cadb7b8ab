import { expect, test } from "vitest";
import { defaultSettings, parseSettings } from "./settings.ts";

const files: Record<string, string> = {
  "/r1.json": '{"url":"nats://hub:4222","user":"node-r1","password":"p"}',
  "/broken.json": '{"url":"http://hub"}',
};
const readFile = (path: string): string => {
  const text = files[path];
  if (text === undefined) throw new Error(`${path}: no such file`);
  return text;
};

test.each(["", "\n# nothing but a comment\n", "---\n", "null", "hub:\nnats:\n"])(
  "%j leaves everything at its default",
  (text) => {
    expect(parseSettings(text, "baton.yaml")).toEqual({ settings: defaultSettings, diagnostics: [] });
  },
);

test("every setting is read", () => {
  const text = `
nats: { url: "nats://127.0.0.1:4222" }
redis:
  url: redis://:secret@127.0.0.1:6379/3
otlp:
  endpoint: http://collector:4317
  protocol: grpc
hub:
  url: tls://hub.example:7422
  user: r1
  password: "s3cret"
metrics:
  host: "::1"
  port: 0
segments:
  eth0: office
  eth1.100: storage
notify: { script_grace: 7.5 }
checks: { jitter: 0.1, concurrent: 500, slow_start: 30, panic_guard: true }
drift: { repairs: 0 }
track_virtual_servers:
  - { name: "[192.0.2.1]:tcp:80", weight: -60, instances: [VI_1], hold: 7.5 }
  - name: FWM 5
    weight: 20
    instances: all
load_balancer: nftables
`;
  expect(parseSettings(text, "baton.yaml")).toEqual({
    diagnostics: [],
    settings: {
      ...defaultSettings,
      nats: { url: "nats://127.0.0.1:4222" },
      redis: { url: "redis://:secret@127.0.0.1:6379/3" },
      otlp: { endpoint: "http://collector:4317", protocol: "grpc" },
      hub: { url: "tls://hub.example:7422", user: "r1", password: "s3cret" },
      metrics: { host: "::1", port: 0 },
      segments: { eth0: "office", "eth1.100": "storage" },
      notify: { scriptGraceSeconds: 7.5 },
      drift: { repairs: 0 },
      trackVirtualServers: [
        { name: "[192.0.2.1]:tcp:80", weight: -60, instances: ["VI_1"], holdSeconds: 7.5 },
        { name: "FWM 5", weight: 20, instances: undefined, holdSeconds: undefined },
      ],
      loadBalancer: "nftables",
      checks: { jitter: 0.1, concurrent: 500, slowStartSeconds: 30, panicGuard: true },
    },
  });
});

test("what is left out of a section has its default", () => {
  const { settings } = parseSettings("metrics: { port: 9000 }\notlp: { endpoint: http://c:4318 }\n", "baton.yaml");
  expect(settings?.metrics).toEqual({ host: "127.0.0.1", port: 9000 });
  expect(settings?.otlp).toEqual({ endpoint: "http://c:4318", protocol: "http/protobuf" });
});

test.each(["metrics: false", "metrics:", "metrics: null"])("%s turns metrics off", (text) => {
  expect(parseSettings(text, "baton.yaml").settings?.metrics).toBeUndefined();
});

test("the hub's file of credentials is as good as its contents", () => {
  const { settings } = parseSettings("hub: /r1.json", "baton.yaml", readFile);
  expect(settings?.hub).toEqual({ url: "nats://hub:4222", user: "node-r1", password: "p" });
});

test.each([
  ["otpl: {}", 1, 1, /no setting `otpl`/],
  ["hub:\n  url: nats://h:1\n  usr: x", 3, 3, /hub: no setting `usr`/],
  ["hub:\n  url: nats://h:1\n  user: x", 2, 3, /belong together/],
  ["hub: /nowhere.json", 1, 6, /no such file/],
  ["hub: /broken.json", 1, 6, /no url/],
  ["hub: [1]", 1, 6, /mapping with `url`/],
  ["nats:\n  url: http://h:1", 2, 8, /nats:\/\/ or tls:\/\//],
  ["nats: nats://h:1", 1, 7, /mapping with `url`/],
  ["nats: {}", 1, 7, /nats.url/],
  ["otlp:\n  endpoint: http://c:1\n  protocol: json", 3, 13, /`http\/protobuf` or `grpc`/],
  ["metrics:\n  port: 70000", 2, 9, /0 to 65535/],
  ["metrics:\n  port: '9'", 2, 9, /0 to 65535/],
  ["metrics: 10112", 1, 10, /or false/],
  ["segments:\n  eth0: 7", 2, 9, /segments.eth0: text/],
  ["notify: { script_grace: soon }", 1, 25, /seconds, 0 to 86400/],
  ["load_balancer: haproxy", 1, 16, /`auto` or `ipvs` or `nftables`/],
  ["drift: { repairs: -1 }", 1, 19, /a number, 0 to 1000/],
  ["track_virtual_servers: 7", 1, 24, /a list/],
  ["track_virtual_servers: [x]", 1, 25, /mappings with `name`/],
  ["track_virtual_servers: [{ name: x }]", 1, 25, /weight: a number/],
  ["track_virtual_servers: [{ name: x, weight: 0 }]", 1, 44, /but not 0/],
  ["track_virtual_servers: [{ weight: 1 }]", 1, 25, /name: text/],
  ["track_virtual_servers: [{ name: x, weight: 1, hold: -1 }]", 1, 53, /seconds, 0 to 86400/],
  ["track_virtual_servers: [{ name: x, weight: 1, instances: VI_1 }]", 1, 58, /a list of names/],
  ["track_virtual_servers: [{ name: x, weight: 1, instance: VI_1 }]", 1, 47, /no setting `instance`/],
  ["notify: { grace: 7 }", 1, 11, /grace/],
  ["checks: { jitter: 1 }", 1, 19, /a share, 0 to 0.5/],
  ["checks: { concurrent: 0.5 }", 1, 23, /a number, 1 to 100000/],
  ["checks: { slow_start: soon }", 1, 23, /seconds, 0 to 86400/],
  ["checks: { panic_guard: 1 }", 1, 24, /true or false/],
  ["checks: { panic: true }", 1, 11, /no setting `panic`/],
  ["checks: 5", 1, 9, /a mapping with jitter/],
  ["- nats", 1, 1, /mapping of settings/],
  ["just text", 1, 1, /mapping of settings/],
  ["hub:\n  url: nats://h:1\n  url: nats://h:2", 3, 3, /unique/],
  ["hub:\n\turl: x", 2, 1, /./],
  ["nats: {url: 'nats://h:1'", 1, 25, /./],
])("%j is refused, with its place", (text, line, column, message) => {
  const { settings, diagnostics } = parseSettings(text, "/etc/baton.yaml", readFile);
  expect(settings).toBeUndefined();
  expect(diagnostics[0]).toMatchObject({ file: "/etc/baton.yaml", line, column, severity: "error" });
  expect(diagnostics[0]?.message).toMatch(message);
});
