// A node of the fleet that lies: again and again it says in another's name "I am not master any more", and answers every
// question with a nonce that it has guessed. Arguments: url, user, password, the address that it slanders.
import { Testimony, TestimonyKind } from "@baton/contracts";
import { openHub, witnessPrefix } from "@baton/event-log";

const [url = "", user = "", password = "", address = ""] = process.argv.slice(2);
const everyMillis = 50;

const hub = openHub({ url, user, password, name: "forger" });
const say = (kind: TestimonyKind, nonce: string): void => {
  const testimony: Testimony = { kind, segment: "lab", family: 4, vrid: 51, address, nonce };
  hub.sendSignal(`${witnessPrefix}.forger`, JSON.stringify(Testimony.toJSON(testimony)));
};
hub.onSignal(`${witnessPrefix}.*`, (subject, text) => {
  const { kind, nonce } = Testimony.fromJSON(JSON.parse(text));
  if (kind !== TestimonyKind.QUESTION || subject === `${witnessPrefix}.forger`) return;
  say(TestimonyKind.ANSWER, nonce.replaceAll(/./g, "0"));
  console.log("asked");
});
setInterval(() => say(TestimonyKind.DENIAL, ""), everyMillis);
