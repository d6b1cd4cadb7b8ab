// A flow that the kernel keeps (EBUSY: a device forwards it) keeps no other.
import { expect, test } from "vitest";
import type { ChangeResult } from "./api.ts";
import { removeAll } from "./flow-removal.ts";
import { limits } from "./limits.ts";

test("one that cannot be taken out is told when all have been tried", () => {
  const requests = Array.from({ length: limits.changesPerSend + 1 }, () => ({
    type: 0,
    flags: 0,
    body: new Uint8Array(),
  }));
  const codes = ["ENOENT", "EBUSY", "EPERM"];
  let tried = 0;
  const client = {
    change(some: readonly unknown[]): ChangeResult[] {
      return some.map(() => {
        const code = codes[tried++];
        return code === undefined ? { ok: true } : { ok: false, code, message: "" };
      });
    },
  };
  expect(() => [...removeAll(client, requests)]).toThrow("EBUSY");
  expect(tried).toBe(requests.length);
});
