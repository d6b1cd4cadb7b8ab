// In a process of its own: what is measured is that it lives on.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";

const door = new URL("../dist/mod.js", import.meta.url).href;
const script = `
  import { onRealTimeSignal } from "${door}";
  const watches = [36, 63].map((signal) => onRealTimeSignal(signal, () => console.log(signal)));
  console.log(watches.every((watch) => watch !== undefined) ? "ready" : "refused");
  setInterval(() => undefined, 1_000);
  process.on("SIGUSR2", () => { for (const watch of watches) { watch?.close(); watch?.close(); } console.log("closed"); });
`;

test("a real-time signal is heard, again and again, and ends nothing until its watch is closed", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (await lines.next()).value ?? "(ended)";
  expect(await next()).toBe("ready");
  for (const signal of [36, 63, 36, 36]) {
    process.kill(child.pid ?? 0, signal);
    expect(await next()).toBe(String(signal));
  }
  process.kill(child.pid ?? 0, "SIGUSR2");
  expect(await next()).toBe("closed");
  process.kill(child.pid ?? 0, 36);
  // It ends; how, Node cannot tell, which has no name for the signal.
  await once(child, "exit");
  expect(errors).toBe("");
});
