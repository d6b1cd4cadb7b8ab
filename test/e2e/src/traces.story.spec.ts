// One failover is one trace on each router, and the two are tied by a link that both derive from the same advert.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LabProcess, type Router, waitFor } from "@baton/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { backupConf, labFor, masterConf, type Pair, startPair, stopPair } from "./pair.ts";

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly links: readonly { traceId: string; spanId: string; attributes: Readonly<Record<string, string>> }[];
  readonly resource: Readonly<Record<string, string>>;
}

const lab = labFor("traces", { beforeAll, afterAll });
const held: { pair?: Pair } = {};
const collectors: LabProcess[] = [];
afterEach(async () => {
  await stopPair(held.pair);
  delete held.pair;
  await Promise.all(collectors.splice(0).map((each) => each.kill()));
});

const script = fileURLToPath(new URL("../dist/otlp-collector-main.js", import.meta.url));
const proto = fileURLToPath(new URL("./otlp-trace.proto", import.meta.url));

async function collect(router: Router): Promise<() => Span[]> {
  const file = join(router.directory, `spans-${Date.now()}.jsonl`);
  const process_ = await router.spawn("collector", [process.execPath, script, file, proto, "4318", "4317"]);
  await process_.waitLog(/ready/);
  collectors.push(process_);
  return () =>
    existsSync(file)
      ? readFileSync(file, "utf8")
          .trim()
          .split("\n")
          .map((line): Span => JSON.parse(line))
      : [];
}

/** A check that succeeds while /run/healthy exists, and a notify script for the last leg of the story. */
const before = `
vrrp_script chk {
  script "/usr/bin/test -f /run/healthy"
  interval 1
  weight 2
}
`;
const instance = 'track_script {\n    chk\n  }\n  notify_master "/bin/true"\n  notify_backup "/bin/true"';

test.each([
  ["http/protobuf", "http://127.0.0.1:4318"],
  ["grpc", "http://127.0.0.1:4317"],
])("a failing script, over OTLP %s", async (protocol, endpoint) => {
  const [r1, r2] = [lab.get().router("r1"), lab.get().router("r2")];
  const [spans1, spans2] = [await collect(r1), await collect(r2)];
  for (const router of [r1, r2]) router.writeFile("/run/healthy", "");
  const pair = await startPair(lab.get(), {
    r1: masterConf({ before, instance }),
    r2: backupConf({ before, instance }),
    options: { settings: `otlp:\n  endpoint: ${endpoint}\n  protocol: ${protocol}\n` },
  });
  held.pair = pair;
  await waitFor("both checks to count", async () => {
    const priorities = await Promise.all(
      [pair.r1, pair.r2].map(async (node) => (await node.status()).instances[0]?.effectivePriority),
    );
    return priorities.join() === "103,102";
  });

  r1.removeFile("/run/healthy");
  await pair.r2.waitState("master");
  await pair.r1.waitState("backup");

  const chain = (spans: readonly Span[], from: Span | undefined): string[] =>
    from === undefined
      ? []
      : [
          ...chain(
            spans,
            spans.find((each) => each.spanId === from.parentSpanId),
          ),
          label(from),
        ];
  const label = (span: Span): string => String(span.attributes["cloudevents.event_type"] ?? span.name);

  // r1: script run -> priority-changed -> became-backup -> the address removed, all in the trace of the script's run.
  const removal = await waitFor(
    "the removal's span",
    () => spans1().findLast((each) => each.name === "address.remove"),
    { deadlineMs: 20_000 },
  );
  await waitFor("the whole chain on r1", () => chain(spans1(), removal).length >= 4);
  expect(chain(spans1(), removal)).toEqual(["script.run", "priority-changed", "became-backup", "address.remove"]);
  const failure = (await pair.r1.events()).findLast((each) => each.event.type === "script-failed");
  expect(failure?.traceparent).toContain(removal.traceId);

  // r2: became-master -> address -> announcement and notification.
  const takeover = await waitFor("the takeover's span", () =>
    spans2().findLast((each) => label(each) === "became-master"),
  );
  for (const name of ["address.assign", "garp.send", "notification.deliver"]) {
    await waitFor(
      `${name} in the takeover's trace`,
      () => spans2().some((each) => each.name === name && each.traceId === takeover.traceId),
      { deadlineMs: 20_000 },
    );
  }

  // Both link to what they derive from r2's first advert: VRID, sender, IP identification.
  const stepDown = spans1().findLast((each) => label(each) === "became-backup");
  const keys = (span: Span | undefined): string[] =>
    (span?.links ?? []).map((link) => `${link.traceId}-${link.spanId}`);
  const shared = keys(stepDown).filter((key) => keys(takeover).includes(key));
  expect(shared).toHaveLength(1);
  const link = takeover.links.find((each) => `${each.traceId}-${each.spanId}` === shared[0]);
  expect(link?.attributes).toMatchObject({ "vrrp.advert.sender": "172.16.1.2" });
  expect(link?.attributes["vrrp.advert.time"]).toMatch(/^\d{4}-/);
  expect(takeover.resource["service.name"]).toContain("election");
});
