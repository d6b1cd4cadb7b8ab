import { configOf } from "@baton/keepalived-conf/testing";
import { expect, test } from "vitest";
import { quorumHold } from "./quorum-hold.ts";

const holdOf = (checker: string, more = ""): number => {
  const { virtualServers } = configOf(`
    virtual_server 192.0.2.1 80 {
      delay_loop 6
      protocol TCP
      real_server 10.0.0.1 80 { weight 1
        ${checker}
      }
      ${more}
    }`);
  const [server] = virtualServers;
  if (server === undefined) throw new Error("no virtual server");
  return quorumHold(server) / 1_000_000;
};

test.each([
  // delay_loop + retry × (delay_before_retry + attempt) + attempt, a tenth and a second
  ["TCP_CHECK {\n connect_timeout 3\n retry 2\n delay_before_retry 1\n }", (6 + 2 * (1 + 3) + 3) * 1.1 + 1],
  ["TCP_CHECK {\n delay_loop 1.5\n connect_timeout 0.5\n retry 0\n }", (1.5 + 0.5) * 1.1 + 1],
  [
    "HTTP_GET {\n url {\n path /a\n status_code 200\n }\n url {\n path /b\n status_code 200\n }\n connect_timeout 1\n retry 1\n delay_before_retry 2\n }",
    (6 + (2 + 2) + 4) * 1.1 + 1,
  ],
  ["MISC_CHECK {\n misc_path /bin/true\n misc_timeout 4\n retry 0\n }", (6 + 4) * 1.1 + 1],
  ["MISC_CHECK {\n misc_path /bin/true\n retry 0\n }", (6 + 6) * 1.1 + 1],
  ["", 1],
])("%s", (checker, seconds) => {
  expect(holdOf(checker)).toBeCloseTo(seconds, 5);
});

test("the slowest check of all servers", () => {
  const slow = "real_server 10.0.0.2 80 { weight 1\n TCP_CHECK {\n delay_loop 30\n connect_timeout 1\n retry 0\n }\n }";
  expect(holdOf("TCP_CHECK {\n connect_timeout 1\n retry 0\n }", slow)).toBeCloseTo(31 * 1.1 + 1, 5);
});
