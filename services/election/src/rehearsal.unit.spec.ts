import { createTestHost } from "@baton/host/testing";
import { expect, test } from "vitest";
import { rehearse } from "./rehearsal.ts";

test("a rehearsal leaves no trace: no event, no span, no log line", () => {
  const host = createTestHost({ service: "election" });
  rehearse(host).close();
  expect(host.appended).toEqual([]);
  expect(host.spans).toEqual([]);
  expect(host.lines).toEqual([]);
});
