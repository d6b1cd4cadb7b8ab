// The lab itself: that its machines are apart, that it measures what keepalived is known to do, and that nothing stays.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLab, type Lab } from "./lab.ts";
import { isAlive } from "./proc.ts";
import { cleanStaleLabs } from "./stale.ts";
import { namespacesOf, virtualAddress } from "./topology.ts";
import { waitFor } from "./wait.ts";

const namespaces = (id: string): string[] => readdirSync("/run/netns").filter((name) => name.startsWith(id));

describe("a lab's machines", () => {
  const held: { lab?: Lab } = {};
  const lab = (): Lab => {
    if (held.lab === undefined) throw new Error("no lab");
    return held.lab;
  };
  beforeAll(async () => {
    held.lab = await createLab({ name: "machines", hub: true });
  });
  afterAll(() => held.lab?.destroy());

  test("reach each other over the bridge and the hub over its own network", async () => {
    const node = (host: string): string => `exec 3<>/dev/udp/${host}/7; printf 12345678 >&3; timeout 2 head -c 10 <&3`;
    expect((await lab().client.exec(node("172.16.1.1"))).stdout).toBe("12345678r1");
    expect((await lab().router("r1").exec(node("172.16.1.2"))).stdout).toBe("12345678r2");
    expect((await lab().router("r2").addresses("mgmt0"))[0]).toBe("10.77.0.2/24");
    expect((await lab().hub().exec(node("10.77.0.1"))).stdout).toBe("12345678r1");
  });

  test("have their own /etc/keepalived, host name and processes", async () => {
    const [r1, r2] = [lab().router("r1"), lab().router("r2")];
    r1.writeFile("/etc/keepalived/down", "");
    expect((await r1.exec("test -f /etc/keepalived/down && hostname")).stdout).toBe("r1\n");
    expect((await r2.exec("test -f /etc/keepalived/down")).code).toBe(1);
    expect(existsSync("/etc/keepalived/down")).toBe(false);
    r1.removeFile("/etc/keepalived/down");
    expect((await r1.exec("test -f /etc/keepalived/down")).code).toBe(1);

    const haproxy = await r1.startStandIn("haproxy");
    await waitFor("the stand-in", async () => (await r1.exec("killall -0 haproxy")).code === 0);
    expect((await r2.exec("killall -0 haproxy")).code).toBe(1);
    expect((await r1.exec("killall haproxy")).code).toBe(0);
    expect((await haproxy.exited).signal ?? "ended").toBeTruthy();
    expect(isAlive(haproxy.pid)).toBe(false);
  });

  test("killing everything on one leaves the other alone", async () => {
    const [r1, r2] = [lab().router("r1"), lab().router("r2")];
    const victims = await Promise.all([r1.spawn("a", ["sleep", "100"]), r1.spawn("b", "sleep 100 & wait")]);
    const other = await r2.spawn("c", ["sleep", "100"]);
    await r1.killEverything({ keepResponder: true });
    await Promise.all(victims.map((victim) => victim.exited));
    expect(other.running).toBe(true);
    await other.kill();
    expect((await r1.exec("echo still here")).stdout).toBe("still here\n");
  });

  test("a command's failure comes back, a process's words are kept", async () => {
    const outcome = await lab().router("r1").exec("echo out; echo err >&2; exit 3");
    expect(outcome).toEqual({ code: 3, stdout: "out\n", stderr: "err\n" });
    const child = await lab().router("r1").spawn("words", "echo first; exec sleep 100");
    await child.waitLog(/first/);
    expect(await child.stop()).toMatchObject({ signal: "SIGTERM" });
  });

  test("mail is taken on the router's own port 25", async () => {
    const r1 = lab().router("r1");
    const server = await r1.startMailServer();
    const data = "Subject: hi there\r\n\r\nbody\r\n.";
    const talk = ["HELO x", "MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>", "DATA", data];
    const say = talk.map((line) => `read -t 5 <&3; printf '%s\\r\\n' '${line}' >&3;`).join(" ");
    await r1.exec(`exec 3<>/dev/tcp/127.0.0.1/25; ${say} read -t 5 <&3`);
    const mail = await server.waitMail(() => true, "a mail");
    expect(mail).toMatchObject({ from: "a@x.example", to: ["b@y.example"], subject: "hi there" });
  });

  test("a port of the hub is reached through a unix socket", async () => {
    const hub = lab().hub();
    const program = 'require("node:http").createServer((q, s) => s.end("hello")).listen(8080, "127.0.0.1")';
    await hub.spawn("web", [process.execPath, "-e", program]);
    const socket = await hub.relay(8080);
    const { request } = await import("node:http");
    const get = (): Promise<string> =>
      new Promise((resolve, reject) => {
        request({ socketPath: socket, path: "/" }, (answer) => {
          answer.setEncoding("utf8").on("data", resolve);
        })
          .on("error", reject)
          .end();
      });
    expect(await waitFor("the page", () => get().catch(() => undefined))).toBe("hello");
  });
});

describe("the end of a lab", () => {
  test("destroy leaves nothing", async () => {
    const lab = await createLab({ name: "end" });
    const child = await lab.router("r1").spawn("deep", "sleep 1000 & sleep 1000");
    expect(namespaces(lab.id)).toHaveLength(4);
    await lab.destroy();
    expect(namespaces(lab.id)).toEqual([]);
    expect(existsSync(lab.directory)).toBe(false);
    expect(isAlive(child.pid)).toBe(false);
    await lab.destroy(); // twice does no harm
  });

  const program = (rest: string): string[] => {
    const door = fileURLToPath(new URL("../dist/mod.js", import.meta.url));
    return [
      "--input-type=module",
      "-e",
      `import { createLab } from ${JSON.stringify(door)};
       const lab = await createLab({ name: "owner" });
       await lab.router("r1").spawn("deep", "sleep 1000");
       console.log(JSON.stringify({ id: lab.id, directory: lab.directory }));
       ${rest}`,
    ];
  };
  const start = async (rest: string) => {
    const owner = spawn(process.execPath, program(rest), { stdio: ["ignore", "pipe", "ignore"] });
    const exited = new Promise<void>((resolve) => owner.once("exit", () => resolve()));
    const line = await new Promise<string>((resolve) => owner.stdout.setEncoding("utf8").once("data", resolve));
    return { owner, exited, ...(JSON.parse(line) as { id: string; directory: string }) };
  };

  test("an owner that is told to stop cleans up", async () => {
    const { owner, exited, id, directory } = await start("setInterval(() => {}, 1000);");
    owner.kill("SIGINT");
    await exited;
    expect([namespaces(id), existsSync(directory)]).toEqual([[], false]);
  });

  test("an owner that throws cleans up", async () => {
    const { exited, id, directory } = await start("setImmediate(() => { throw new Error('x'); });");
    await exited;
    expect([namespaces(id), existsSync(directory)]).toEqual([[], false]);
  });

  test("of an owner that was killed no process stays, and the next lab removes the rest", async () => {
    const { owner, exited, id, directory } = await start("setInterval(() => {}, 1000);");
    owner.kill("SIGKILL");
    await exited;
    expect(namespaces(id)).toHaveLength(4);
    expect(await cleanStaleLabs()).toContain(directory);
    expect([namespaces(id), existsSync(directory)]).toEqual([[], false]);
  });

  test("a lab whose owner lives is nobody else's to remove", async () => {
    const lab = await createLab({ name: "mine" });
    expect(await cleanStaleLabs()).not.toContain(lab.directory);
    expect(namespaces(lab.id)).toHaveLength(namespacesOf(lab.topology).length);
    await lab.destroy();
    expect(virtualAddress).toBe("172.16.100.1");
  });
});
