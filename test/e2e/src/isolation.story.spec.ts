// Nobody else on the bus: an unprivileged user of the same machine gets nowhere, and no service may speak for another.
import { statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { labFor, masterConf } from "./pair.ts";

const lab = labFor("isolation", { beforeAll, afterAll });

test("files, sockets, brokers and the event stream are closed to others", async () => {
  const router = lab.get().router("r1");
  const node = await router.startBaton(masterConf());
  await node.waitReady();

  expect(statSync(node.runDir).mode & 0o777).toBe(0o700);
  for (const name of [
    "credentials.json",
    "node.sock",
    "dataplane.sock",
    "election.sock",
    "health.sock",
    "control.sock",
    "notifier.sock",
  ]) {
    expect(statSync(join(node.runDir, name)).mode & 0o777, name).toBe(0o600);
  }
  expect(statSync(join(node.stateDir, "snapshot.json")).mode & 0o777).toBe(0o600);

  const asNobody = (command: string) =>
    router.exec(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "bash", "-c", command]);
  expect((await asNobody(`cat ${node.runDir}/credentials.json`)).code).not.toBe(0);
  expect((await asNobody(`ls ${node.runDir}`)).code).not.toBe(0);
  expect(
    (await asNobody("cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c BATON_RUN_DIR")).stdout.trim(),
  ).toBe("0");

  const { nats, redis } = JSON.parse((await router.exec(`cat ${node.runDir}/credentials.json`)).stdout) as {
    nats: { url: string };
    redis: { url: string };
  };
  const [natsPort, redisPort] = [new URL(nats.url).port, new URL(redis.url).port];
  const listening = (await router.exec("ss -Hltn")).stdout;
  for (const port of [natsPort, redisPort]) {
    expect(listening).toContain(`127.0.0.1:${port}`);
    expect(listening).not.toMatch(new RegExp(`(0\\.0\\.0\\.0|\\*|\\[::\\]|172\\.16\\.1\\.1):${port}\\b`));
  }
  // The server closes as soon as it has refused: what is written after that would cost its answer.
  const said = await asNobody(
    `exec 3<>/dev/tcp/127.0.0.1/${natsPort}; read -r info <&3; printf 'CONNECT {"verbose":true}\\r\\n' >&3; timeout 2 cat <&3`,
  );
  expect(said.stdout, said.stderr).toMatch(/-ERR 'Authorization Violation'/i);
  const redisSaid = await asNobody(
    `exec 3<>/dev/tcp/127.0.0.1/${redisPort}; printf 'KEYS *\\r\\n' >&3; timeout 2 head -n 1 <&3`,
  );
  expect(redisSaid.stdout).toMatch(/NOAUTH/);
  await node.stop();
});
