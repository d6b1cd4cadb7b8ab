// One real server for each kind of check, and what breaks it.

export const serverAddress = "10.0.0.1";
/** Answers echo requests until it is broken. */
export const echoAddress = "10.0.0.2";

export interface VerdictCase {
  readonly name: string;
  readonly address: string;
  /** Of the real server, and in its virtual server's name. */
  readonly port: number;
  /** How packets that begin an attempt look to nftables; undefined: programs count for themselves. */
  readonly counted: string | undefined;
  readonly check: string;
}

const times = "retry 2\ndelay_before_retry 1\nwarmup 1";
const timed = `${times}\nconnect_timeout 2`;
const syn = (port: number): string => `tcp dport ${port} tcp flags & (syn | ack) == syn`;
const get = (port: number, lines: string, type = "HTTP_GET"): Partial<VerdictCase> => ({
  counted: syn(port),
  check: `${type} {\n${timed}\nurl {\npath /\n${lines}\n}\n}`,
});

/** MD5 of what the server with the right body answers. */
export const goodBody = "good";
const goodDigest = "755f85c2723bb39381c7379a604160d8";

const cases: Readonly<Record<number, Partial<VerdictCase> & { readonly name: string }>> = {
  8001: { name: "nobody listens", counted: syn(8001), check: `TCP_CHECK {\n${timed}\n}` },
  8002: { name: "a wrong status", ...get(8002, "status_code 200") },
  8003: { name: "a wrong body", ...get(8003, `digest ${goodDigest}`) },
  8004: { name: "no answer in time", ...get(8004, "status_code 200") },
  8005: { name: "a wrong status over TLS", ...get(8005, "status_code 200", "SSL_GET") },
  8006: { name: "a mail server that declines", counted: syn(8006), check: `SMTP_CHECK {\n${timed}\n}` },
  8007: {
    name: "a name server that fails",
    counted: "udp dport 8007",
    check: `DNS_CHECK {\n${timed}\ntype A\nname x\n}`,
  },
  8008: { name: "no datagram back", counted: "udp dport 8008", check: `UDP_CHECK {\n${timed}\nrequire_reply\n}` },
  8009: {
    name: "no echo",
    address: echoAddress,
    counted: "icmp type echo-request",
    check: `PING_CHECK {\n${timed}\n}`,
  },
  8010: {
    name: "a program that fails",
    counted: undefined,
    check: `MISC_CHECK {\n${times}\nmisc_path /run/verdicts/check\nmisc_timeout 5\n}`,
  },
};

export const verdictCases: readonly VerdictCase[] = Object.entries(cases).map(([port, each]) => ({
  address: serverAddress,
  check: "",
  counted: undefined,
  ...each,
  port: Number(port),
}));

/** Attempts that fail before a server is out: `retry` and one more. */
export const attemptsToFail = 3;

export const verdictFile = verdictCases
  .map(
    ({ address, port, check }) =>
      `virtual_server 10.9.0.1 ${port} {\ndelay_loop 8\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n` +
      `real_server ${address} ${port} {\nweight 1\n${check}\n}\n}\n`,
  )
  .join("");
