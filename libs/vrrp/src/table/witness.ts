// What is said over the bus about a master (SAFETY S13): a denial makes a backup ask, only an answer moves its timer, and
// only to earlier.
import type { Input } from "../types.ts";
import {
  advertOfMaster,
  after,
  ago,
  backup,
  becameMaster,
  claims,
  counts,
  deadline,
  heard,
  higherAddress,
  ignores,
  inFault,
  initialize,
  leaving,
  listening,
  lowerAddress,
  master,
  now,
  type Row,
  second,
  sends,
  skew100,
  timerOfBackup,
  wait,
} from "./world.ts";

const denied = (source = higherAddress): Input => ({ type: "mastership-denied", source });
const answered = (source = higherAddress): Input => ({ type: "witness-answered", source });
const asks: Row["effects"][number] = { type: "ask-witness", source: higherAddress };
const asked = (before: number, source = higherAddress) => ({ source, askedAt: ago(before), answered: false });
/** Its master spoke that long ago, and was asked a moment ago. */
const silentFor = (silence: number, before = 1_000) =>
  backup({ master: heard(higherAddress, 200, { heardAt: ago(silence) }), question: asked(before) });

const takeover = (reason: string): Row["effects"] => [
  sends(100),
  claims(8, "hold", { announceReason: reason }),
  becameMaster(8, 100, reason),
  counts("became-master"),
];

const unmoved = (name: string, rule: string, given: Row["given"], when: Input): Row => ({
  name,
  rule,
  given,
  when,
  becomes: "backup",
  state: "unchanged",
  deadline: timerOfBackup,
  effects: [],
});

const denials: readonly Row[] = [
  {
    name: "backup/mastership-denied/asks",
    rule: "SAFETY S13: a backup that remembers the sender as its master asks back",
    given: backup(),
    when: denied(),
    becomes: "backup",
    state: { question: asked(0) },
    deadline: timerOfBackup,
    effects: [asks],
  },
  unmoved(
    "backup/mastership-denied/again-within-10-s",
    "SAFETY S13: at most one per master and 10 s",
    backup({ question: asked(10 * second - 1) }),
    denied(),
  ),
  {
    name: "backup/mastership-denied/again-after-10-s",
    rule: "SAFETY S13: at most one per master and 10 s",
    given: backup({ question: asked(10 * second) }),
    when: denied(),
    becomes: "backup",
    state: { question: asked(0) },
    deadline: timerOfBackup,
    effects: [asks],
  },
  {
    name: "backup/mastership-denied/after-another-master",
    rule: "SAFETY S13: at most one per master and 10 s",
    given: backup({ question: asked(second, lowerAddress) }),
    when: denied(),
    becomes: "backup",
    state: { question: asked(0) },
    deadline: timerOfBackup,
    effects: [asks],
  },
  unmoved(
    "backup/mastership-denied/by-somebody-else",
    "SAFETY S13: matched on the source address",
    backup(),
    denied(lowerAddress),
  ),
  unmoved("backup/mastership-denied/no-master-known", "SAFETY S13", backup({ master: undefined }), denied()),
  unmoved(
    "backup/mastership-denied/one-that-is-pre-empted",
    "its adverts do not restart the timer anyway",
    backup({ master: heard(higherAddress, 50, { accepted: false }) }),
    denied(),
  ),
  unmoved(
    "backup/mastership-denied/one-that-has-said-so-itself",
    "RFC 9568 §6.4.2: the skew runs already",
    backup({ master: heard(higherAddress, 0) }),
    denied(),
  ),
];

const answers: readonly Row[] = [
  {
    name: "backup/witness-answered/just-after-an-advert",
    rule: "SAFETY S13: 1.1 intervals after the last advert",
    given: silentFor(100_000),
    when: answered(),
    becomes: "backup",
    state: { question: { ...asked(1_000), answered: true } },
    deadline: after(second),
    effects: [counts("witness-believed")],
  },
  {
    name: "backup/witness-answered/long-after-an-advert",
    rule: "SAFETY S13: but a skew from now on at least",
    given: silentFor(second),
    when: answered(),
    becomes: "backup",
    state: { question: { ...asked(1_000), answered: true } },
    deadline: after(skew100),
    effects: [counts("witness-believed")],
  },
  {
    name: "backup/witness-answered/timer-sooner-than-that",
    rule: "SAFETY S13: never later than it was",
    given: backup({
      masterDownAt: after(second / 2),
      master: heard(higherAddress, 200, { heardAt: ago(1_000) }),
      question: asked(0),
    }),
    when: answered(),
    becomes: "backup",
    state: "unchanged",
    deadline: after(second / 2),
    effects: [],
  },
  unmoved("backup/witness-answered/nobody-asked", "SAFETY S13: only an answer counts", backup(), answered()),
  unmoved(
    "backup/witness-answered/too-late",
    "SAFETY S13: only an answer within A counts",
    silentFor(2 * second, second + 1),
    answered(),
  ),
  unmoved(
    "backup/witness-answered/it-has-spoken-since",
    "SAFETY S13: any advert accepted afterwards cancels it",
    silentFor(1_000, 2_000),
    answered(),
  ),
  unmoved(
    "backup/witness-answered/of-another-master",
    "SAFETY S13: matched on the source address",
    backup({ question: asked(1_000, lowerAddress) }),
    answered(lowerAddress),
  ),
];

const denies = { ...asked(1_000), answered: true };

/** What the takeover says of itself. */
const takeovers: readonly Row[] = [
  {
    name: "backup/deadline-reached/after-an-answer",
    rule: "SAFETY S13",
    given: backup({ masterDownAt: now, master: heard(higherAddress, 200, { heardAt: ago(second) }), question: denies }),
    when: deadline(),
    becomes: "master",
    deadline: after(second),
    effects: takeover("witness-answered"),
  },
  {
    name: "backup/deadline-reached/it-spoke-after-its-answer",
    rule: "SAFETY S13: any advert accepted afterwards cancels it",
    given: backup({ masterDownAt: now, master: heard(higherAddress, 200, { heardAt: ago(1) }), question: denies }),
    when: deadline(),
    becomes: "master",
    deadline: after(second),
    effects: takeover("master-down-expired"),
  },
];

const both: readonly Input["type"][] = ["mastership-denied", "witness-answered"];

export const witnessRows: readonly Row[] = [
  ...denials,
  ...answers,
  ...takeovers,
  ...ignores("initialize", initialize(), undefined, "SAFETY S13: backups only", both),
  ...ignores("master", master(), advertOfMaster, "SAFETY S13: backups only", both),
  ...ignores("listening", listening(), after(skew100), "SAFETY S13: backups only", both),
  ...ignores("leaving", leaving(), after(wait - second / 2), "SAFETY S13: backups only", both),
  ...ignores("fault", inFault(), undefined, "SAFETY S13: backups only", both),
];
