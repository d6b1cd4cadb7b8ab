import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test } from "vitest";
import { change, global, instance } from "../testing/fixtures.ts";
import { type Mail, mailOf } from "./message.ts";
import { type MailOutbox, openMailOutbox } from "./outbox.ts";

const folder = mkdtempSync(join(tmpdir(), "baton-outbox-"));
afterAll(() => rmSync(folder, { recursive: true }));
const sender = { node: "r1", hostName: "r1", userName: "root" };
const mail = (id: string): Mail => {
  const made = mailOf(change({ cause: { id, correlationId: id } }), instance({ smtpAlert: true }), global(), sender);
  if (made === undefined) throw new Error("the fixture asks for mail");
  return made;
};
const malformed: string[] = [];
const at = (name: string) => join(folder, name, "mail.jsonl");
const opened: MailOutbox[] = [];
const open = async (name: string): Promise<MailOutbox> => {
  const outbox = await openMailOutbox(at(name), (line) => malformed.push(line));
  opened.push(outbox);
  return outbox;
};
afterEach(async () => {
  for (const outbox of opened.splice(0)) await outbox.close().catch(() => undefined);
});
const ids = (outbox: MailOutbox) => outbox.open().map((each) => each.mail.cause.id);

test("a mail is on disk when add resolves, and is found by a successor in order", async () => {
  const first = await open("order");
  await Promise.all([first.add(mail("1")), first.add(mail("2")), first.add(mail("3"))]);
  expect(readFileSync(at("order"), "utf8").trim().split("\n").length).toBe(3);
  // Killed here: nothing is closed.
  const second = await open("order");
  expect(ids(second)).toEqual(["1", "2", "3"]);
  expect(second.open()[0]?.mail).toEqual(JSON.parse(JSON.stringify(mail("1"))));
  expect(statSync(at("order")).mode & 0o777).toBe(0o600);
});

test("what was accepted and what is done stay so", async () => {
  const first = await open("done");
  await first.add(mail("1"));
  await first.add(mail("2"));
  await first.accept(mail("1").id, ["a@example.org"]);
  await first.done(mail("2").id);
  for (let life = 0; life < 2; life += 1) {
    const next = await open("done");
    expect(ids(next)).toEqual(["1"]);
    expect([...(next.get(mail("1").id)?.accepted ?? [])]).toEqual(["a@example.org"]);
    await next.close();
  }
});

test("the same mail twice is one mail", async () => {
  const outbox = await open("twice");
  expect(await outbox.add(mail("1"))).toBe(true);
  expect(await outbox.add(mail("1"))).toBe(false);
  expect(ids(outbox)).toEqual(["1"]);
});

test("a line cut short by a crash, or of somebody else, is said so and costs nothing else", async () => {
  const first = await open("torn");
  await first.add(mail("1"));
  await first.close();
  appendFileSync(at("torn"), '{"op":"mail","mail":{"id":"x"}}\nnonsense\n{"op":"mail","mail":{"id":"mail-2","ins');
  const second = await open("torn");
  expect(ids(second)).toEqual(["1"]);
  expect(malformed.length).toBe(3);
  await second.add(mail("3"));
  await second.close();
  expect(ids(await open("torn"))).toEqual(["1", "3"]);
});

test("the file does not grow for ever", async () => {
  const outbox = await open("growth");
  for (let round = 0; round < 400; round += 1) {
    await outbox.add(mail(`${round}`));
    await outbox.done(mail(`${round}`).id);
  }
  expect(statSync(at("growth")).size).toBeLessThan(400_000);
  await outbox.add(mail("last"));
  await outbox.close();
  expect(ids(await open("growth"))).toEqual(["last"]);
});

test("a disk that does not take it is an error of that call", async () => {
  const outbox = await open("closed");
  await outbox.close();
  await expect(outbox.add(mail("1"))).rejects.toThrow();
});
