import { encodeMessage, subjectFilter } from "@baton/contracts/codec";
import type { AggregateKind } from "@baton/domain";
import { connect } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openNatsBus } from "./nats-bus.ts";
import { inboxPrefix, type NatsUser, natsUsers } from "./server-config.ts";
import { eventSource } from "./testing/events.ts";
import { startNatsServer, type TestNatsServer } from "./testing/nats-server.ts";
import { until } from "./testing/until.ts";

const servers: TestNatsServer[] = [];
beforeAll(async () => {
  servers.push(await startNatsServer({ node: "r.1 ü" }));
});
afterAll(async () => {
  for (const server of servers) await server.close();
});

const theServer = (): TestNatsServer => {
  const [server] = servers;
  if (server === undefined) throw new Error("no server");
  return server;
};

async function as<T>(user: NatsUser, body: (bus: ReturnType<typeof openNatsBus>) => Promise<T>): Promise<T> {
  const bus = openNatsBus({
    credentials: () => theServer().credentials(user),
    name: user,
    inboxPrefix: inboxPrefix(user),
  });
  try {
    await until("connected", () => bus.connected);
    return await body(bus);
  } finally {
    await bus.close();
  }
}

const owners: Record<AggregateKind, NatsUser | "itself"> = {
  vrrp: "election",
  group: "election",
  tracker: "health",
  checker: "health",
  "virtual-server": "health",
  balancer: "balancer",
  address: "dataplane",
  notification: "notifier",
  config: "control",
  service: "itself",
};

test.each(natsUsers.filter((user) => user !== "admin"))("%s publishes its own events and no others", async (user) => {
  await as(user, async (bus) => {
    const make = eventSource({ node: theServer().node });
    for (const [kind, owner] of Object.entries(owners) as [AggregateKind, NatsUser | "itself"][]) {
      const id = kind === "service" ? user : "VI_1";
      const published = bus.publish(encodeMessage(make(id, kind)));
      if (owner === user || owner === "itself")
        await expect(published, kind).resolves.toMatchObject({ duplicate: false });
      else await expect(published, kind).rejects.toMatchObject({ refusal: "refused" });
    }
    const stranger = bus.publish(encodeMessage(make("stranger", "service")));
    await expect(stranger, "a service event in another's name").rejects.toMatchObject({ refusal: "refused" });
    const elsewhere = bus.publish(encodeMessage(eventSource({ node: "r2" })("VI_1")));
    await expect(elsewhere, "another node's event").rejects.toMatchObject({ refusal: "refused" });
  });
});

test("every service may read: last of an aggregate, live events, a durable position of its own", async () => {
  const { node } = theServer();
  await as("election", (bus) => bus.publish(encodeMessage(eventSource({ node, epoch: 2 })("VI_read"))));
  for (const user of ["notifier", "uplink"] as const) {
    await as(user, async (bus) => {
      const last = await bus.last(subjectFilter({ node, kind: "vrrp", id: "VI_read" }));
      expect(last?.envelope.aggregate.id).toBe("VI_read");
      const got: string[] = [];
      const live = bus.subscribe(subjectFilter({ node, kind: "vrrp" }), (event) => got.push(`live ${event.version}`));
      const durable = bus.durable({
        name: user,
        filter: subjectFilter({ node, kind: "vrrp", id: "VI_read" }),
        start: "first",
        handle: async (batch) => void got.push(...batch.map((stored) => `kept ${stored.envelope.version}`)),
      });
      await until("the kept event", () => got.includes("kept 1"));
      live.close();
      await durable.close();
    });
  }
});

test("control reads history; health has no use for it and may not", async () => {
  const { node } = theServer();
  const read = (user: NatsUser) =>
    as(user, async (bus) => {
      const ids: string[] = [];
      for await (const stored of bus.history({ filter: subjectFilter({ node }), limit: 2 }))
        ids.push(stored.envelope.id);
      return ids;
    });
  expect((await read("control")).length).toBeGreaterThan(0);
  await expect(read("health")).rejects.toThrow();
});

test("an inbox is its user's own", async () => {
  const { url, user, password } = theServer().credentials("health");
  const connection = await connect({ servers: url, user: user ?? "", pass: password ?? "", reconnect: false });
  const refused = new Promise((resolve) =>
    connection.subscribe(`${inboxPrefix("election")}.>`, { callback: (error) => resolve(error?.code) }),
  );
  expect(await refused).toBe("PERMISSIONS_VIOLATION");
  await connection.close();
});

test.each([
  ["nothing", {}],
  ["a wrong password", { user: "election", pass: "guess" }],
  ["an unknown user", { user: "root", pass: "" }],
])("with %s nobody gets in", async (_what, login) => {
  const attempt = connect({ servers: theServer().url, reconnect: false, ...login });
  await expect(attempt).rejects.toMatchObject({ code: "AUTHORIZATION_VIOLATION" });
});

test("the server listens on loopback only", async () => {
  const { networkInterfaces } = await import("node:os");
  const port = new URL(theServer().url).port;
  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter((address) => !address.internal && address.family === "IPv4");
  for (const { address } of outside) {
    const attempt = connect({ servers: `${address}:${port}`, reconnect: false, timeout: 1_000 });
    await expect(attempt).rejects.toMatchObject({ code: "CONNECTION_REFUSED" });
  }
});
