// The mail server of a router, as `smtp_server 127.0.0.1` finds it.
import type { LabProcess } from "./lab-process.ts";
import type { Machine } from "./machine.ts";
import { script } from "./prober.ts";
import { waitFor } from "./wait.ts";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  /** Headers and body as they came. */
  readonly text: string;
}

export interface MailServer {
  readonly process: LabProcess;
  readonly mails: readonly ReceivedMail[];
  waitMail(match: (mail: ReceivedMail) => boolean, what: string, deadlineMs?: number): Promise<ReceivedMail>;
}

type Said = { readonly type: "started" } | { readonly type: "mail"; readonly mail: ReceivedMail };

export async function startMailServer(router: Machine, host = "127.0.0.1", port = 25): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const state = { started: false };
  const child = await router.spawn("mail", [process.execPath, script("mail"), host, String(port)], {
    onMessage(message) {
      const said = message as Said;
      if (said.type === "started") state.started = true;
      else mails.push(said.mail);
    },
  });
  await waitFor("the mail server to listen", () => {
    if (!child.running) throw new Error(`the mail server has ended: ${child.log()}`);
    return state.started;
  });
  return {
    process: child,
    mails,
    waitMail: (match, what, deadlineMs = 10_000) => waitFor(what, () => mails.find(match), { deadlineMs }),
  };
}
