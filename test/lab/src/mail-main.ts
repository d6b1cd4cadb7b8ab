// A mail server that takes everything and tells it to the test.
import { SMTPServer } from "smtp-server";
import type { ReceivedMail } from "./mail.ts";

const [host = "127.0.0.1", port = "25"] = process.argv.slice(2);

const server = new SMTPServer({
  authOptional: true,
  disabledCommands: ["STARTTLS", "AUTH"],
  logger: false,
  onData(stream, session, done) {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const { mailFrom, rcptTo } = session.envelope;
      const mail: ReceivedMail = {
        from: mailFrom === false ? "" : mailFrom.address,
        to: rcptTo.map(({ address }) => address),
        subject: /^Subject: (.*(?:\r\n[ \t].*)*)/im.exec(text)?.[1]?.replace(/\r\n[ \t]/g, " ") ?? "",
        text,
      };
      process.send?.({ type: "mail", mail });
      done();
    });
  },
});
server.on("error", (error) => {
  console.error(error.message);
});
server.listen(Number(port), host, () => process.send?.({ type: "started" }));
process.on("disconnect", () => process.exit(0));
