// Runs the tests by cost, one kind after another, and ends with one plain line: `N passed, N failed[, N skipped]`.
//
//   npm test                     everything
//   npm test -- unit|int|story|e2e   one kind (several may be named)
//   npm test -- libs/vrrp        files whose path contains the text
//
// Options (words that begin with a dash) go to vitest as they are. After the tests comes the leak check: whatever this
// run started must be gone.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { findLeaks, listNamespaces } from "./tidy/leaks.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const kinds = ["unit", "int", "story", "e2e"];
/** The whole run; a test that hangs must not hang the run. */
const minutesMax = 25;

const words = process.argv.slice(2);
const options = words.filter((word) => word.startsWith("-"));
const paths = words.filter((word) => !word.startsWith("-") && !kinds.includes(word));
const chosen = kinds.filter((kind) => words.includes(kind));
const toRun = chosen.length > 0 ? chosen : kinds;

const work = mkdtempSync(join(tmpdir(), "baton-test-run-"));
// Every process that descends from this run carries the mark in its environment, however often it changed its parent.
const mark = `${process.pid}-${Date.now()}`;
const namespacesBefore = new Set(listNamespaces());
const startedAt = Date.now();
const total = { passed: 0, failed: 0, skipped: 0 };
/** Said again at the very end: who reads the end of a long log learns what failed. */
const failures = [];
const running = { child: undefined, interrupted: false };

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(0)} s`;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    running.interrupted = true;
    running.child?.kill("SIGINT");
  });
}

function vitest(kind, output) {
  const args = ["run", "--project", kind, "--passWithNoTests", "--reporter=default", "--reporter=json"];
  const child = spawn(
    process.execPath,
    [join(root, "node_modules/vitest/vitest.mjs"), ...args, `--outputFile.json=${output}`, ...options, ...paths],
    { cwd: root, stdio: "inherit", env: { ...process.env, BATON_TEST_RUN: mark, NO_UPDATE_NOTIFIER: "1" } },
  );
  running.child = child;
  const deadline = setTimeout(
    () => {
      console.error(`\nThe run took longer than ${minutesMax} minutes and was stopped.`);
      child.kill("SIGKILL");
    },
    Math.max(1000, startedAt + minutesMax * 60_000 - Date.now()),
  );
  return new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`vitest cannot be started: ${error.message}`);
    });
    child.on("close", (code, signal) => {
      clearTimeout(deadline);
      running.child = undefined;
      resolve(signal === null ? (code ?? 1) : 1);
    });
  });
}

function readReport(output) {
  try {
    return JSON.parse(readFileSync(output, "utf8"));
  } catch {
    return undefined;
  }
}

/** A file that does not load has no tests that could fail: it counts as one failure. */
function count(report, exitCode) {
  if (report === undefined) return { passed: 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 };
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length;
  const failed = report.numFailedTests + broken;
  return {
    passed: report.numPassedTests,
    // An error outside of any test (an unhandled rejection) shows in the exit code only.
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Each failed test with the first lines of what it said. */
function describeFailures(kind, report) {
  if (report === undefined) return [`${kind}: vitest left no report`];
  return report.testResults.flatMap((file) => {
    const failed = file.assertionResults.filter((test) => test.status === "failed");
    const place = relative(root, file.name);
    if (failed.length === 0) return file.status === "failed" ? [`${place}: ${firstLines(file.message)}`] : [];
    return failed.map((test) => `${place} > ${test.fullName}: ${firstLines(test.failureMessages.join("\n"))}`);
  });
}

const firstLines = (text) => (text ?? "").split("\n").slice(0, 6).join("\n    ").slice(0, 1500);

for (const kind of toRun) {
  if (running.interrupted) break;
  const since = Date.now();
  console.log(`\n=== ${kind} ===`);
  const output = join(work, `${kind}.json`);
  const exitCode = await vitest(kind, output);
  const report = readReport(output);
  const counted = count(report, exitCode);
  if (counted.failed > 0) failures.push(...describeFailures(kind, report));
  for (const key of Object.keys(total)) total[key] += counted[key];
  console.log(`${kind}: ${counted.passed} passed, ${counted.failed} failed in ${seconds(since)}`);
}

const leaks = await findLeaks({ mark, namespacesBefore });
for (const leak of leaks) console.log(`leak: ${leak}`);
total.failed += leaks.length;
if (running.interrupted) {
  console.error("interrupted");
  total.failed += 1;
}
if (total.passed + total.failed + total.skipped === 0) {
  console.error(`no test matches ${paths.join(" ")}`);
  total.failed += 1;
}
rmSync(work, { recursive: true, force: true });
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`\nall of it in ${seconds(startedAt)}`);
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped === 0 ? "" : `, ${total.skipped} skipped`}`);
process.exitCode = total.failed === 0 ? 0 : 1;
