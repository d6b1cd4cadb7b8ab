// What a test run left behind: processes that carry its mark, and network namespaces that nobody owns any more.
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const namespaceDirectory = "/run/netns";
/** Ending takes a moment: only what is still there after this time is a leak. */
const graceMs = 5000;

export function listNamespaces() {
  try {
    return readdirSync(namespaceDirectory).filter((name) => name.startsWith("bt"));
  } catch {
    return [];
  }
}

const readProc = (pid, file) => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // it has ended, or is a kernel thread
  }
};

const isAlive = (pid) => readProc(pid, "stat") !== "";

/** Processes whose environment carries the mark of this run, wherever they hang in the process tree. */
function markedProcesses(mark) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => readProc(pid, "environ").split("\0").includes(`BATON_TEST_RUN=${mark}`))
    .map((pid) => `process ${pid}: ${readProc(pid, "cmdline").replaceAll("\0", " ").trim().slice(0, 160)}`);
}

/** A name holds its owner's pid: one that is alive belongs to somebody else who tests on this machine. */
function orphanNamespaces(before) {
  return listNamespaces()
    .filter((name) => !before.has(name))
    .filter((name) => !(name.match(/\d{2,}/g) ?? []).some((digits) => isAlive(digits)))
    .map((name) => `network namespace ${name}`);
}

export async function findLeaks({ mark, namespacesBefore, waitMs = graceMs }) {
  const deadline = Date.now() + waitMs;
  for (;;) {
    const leaks = [...markedProcesses(mark), ...orphanNamespaces(namespacesBefore)];
    if (leaks.length === 0 || Date.now() > deadline) return leaks;
    await delay(100);
  }
}
