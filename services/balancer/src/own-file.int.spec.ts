// What is ours, written down and read again, whoever wrote the file.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openOwnFile, type PlacedRecord } from "./own-file.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "baton-own-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const ownFile = (): string => join(directory, "balancer.own");
const record: PlacedRecord = {
  engine: "ipvs",
  namespace: "/run/netns/a",
  services: ["a"],
  daemons: { options: "{}" },
  timeouts: { tcp: 1, tcpFin: 2, udp: 3 },
};

test("each place has one record, the newest place is the first, and one is forgotten without the others", () => {
  const file = openOwnFile(ownFile());
  const elsewhere: PlacedRecord = { ...record, namespace: undefined };
  for (const each of [record, elsewhere, { ...record, services: ["b"] }]) file.write(each);
  expect(file.read()).toEqual([elsewhere, { ...record, services: ["b"] }]);
  file.forget({ engine: "nftables", namespace: undefined });
  file.forget(elsewhere);
  expect(openOwnFile(ownFile()).read()).toEqual([{ ...record, services: ["b"] }]);
});

test("a record that makes no sense is none", () => {
  const file = openOwnFile(ownFile());
  expect(file.read()).toEqual([]);
  file.write(record);
  expect(file.read()).toEqual([record]);
  for (const wrong of ["", "{}", "null", "[null]", '[{"engine":"haproxy"}]']) {
    writeFileSync(ownFile(), wrong);
    expect([wrong, file.read()]).toEqual([wrong, []]);
  }
  writeFileSync(ownFile(), '[{"engine":"ipvs","services":[1,"b"],"timeouts":{"tcp":-1}}]');
  expect(file.read()).toEqual([{ engine: "ipvs", services: ["b"], daemons: undefined, timeouts: undefined }]);
  for (const [seconds, timeouts] of [
    [0x7fffffff, { tcp: 1, tcpFin: 2, udp: 0x7fffffff }],
    [0x80000000, undefined],
  ]) {
    writeFileSync(ownFile(), `[{"engine":"ipvs","timeouts":{"tcp":1,"tcpFin":2,"udp":${seconds}}}]`);
    expect(file.read()[0]?.timeouts).toEqual(timeouts);
  }
});
