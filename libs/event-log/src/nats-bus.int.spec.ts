import { connect } from "nats";
import { expect, test } from "vitest";
import { openNatsBus } from "./nats-bus.ts";
import { inboxPrefix } from "./server-config.ts";
import { busContract } from "./testing/bus-contract.ts";
import { startNatsServer } from "./testing/nats-server.ts";
import { until } from "./testing/until.ts";

// As the admin user: the contract publishes and reads everything. What the services may not is in permissions.int.spec.ts.
busContract("nats", async () => {
  const server = await startNatsServer({ node: "r1" });
  const bus = openNatsBus({
    credentials: () => server.credentials("admin"),
    name: "contract",
    inboxPrefix: inboxPrefix("admin"),
  });
  return {
    bus,
    node: "r1",
    publishNonsense: async (subject) => {
      const { url, user, password } = server.credentials("admin");
      const connection = await connect({ servers: url, user: user ?? "", pass: password ?? "" });
      connection.publish(subject, "nonsense");
      await connection.drain();
    },
    outage: () => server.kill(),
    back: () => server.start(),
    close: async () => {
      await bus.close();
      await server.close();
    },
  };
});

test("the bus connects when the server comes, and says why it is away until then", async () => {
  const server = await startNatsServer({ node: "r1" });
  await server.kill();
  const told: string[] = [];
  const bus = openNatsBus({
    credentials: () => server.credentials("election"),
    name: "late",
    inboxPrefix: "_INBOX_election",
  });
  bus.onStatus((connected, detail) => told.push(connected ? "connected" : detail));
  try {
    await until("a first attempt", () => told.length > 0);
    expect(told[0]).not.toBe("connected");
    expect(told[0]).not.toBe("");
    await server.start();
    await until("connected", () => bus.connected, 3_000);
  } finally {
    await bus.close();
    await server.close();
  }
});

test("a server that is stopped, not dead, is found out and let go of", { timeout: 40_000 }, async () => {
  const server = await startNatsServer({ node: "r1" });
  const bus = openNatsBus({
    credentials: () => server.credentials("election"),
    name: "stopped",
    inboxPrefix: "_INBOX_election",
  });
  try {
    await until("connected", () => bus.connected);
    server.signal("SIGSTOP");
    await until("away", () => !bus.connected, 20_000);
    server.signal("SIGCONT");
    await until("connected again", () => bus.connected);
  } finally {
    server.signal("SIGCONT");
    await bus.close();
    await server.close();
  }
});
