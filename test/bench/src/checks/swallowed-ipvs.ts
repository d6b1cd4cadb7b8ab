// keepalived ends where the kernel has no ip_vs. So that its checks can be measured here, at full speed, its commands to ip_vs
// are taken by a library that is loaded before libnl: each is noted with its time, and answered as if it had been done.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const source = `
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
struct header { unsigned length; };
extern struct header *nlmsg_hdr(void *message);
static int out = -1;
static struct { int (*call)(void *, void *); void *argument; } told[16];
int genl_ctrl_resolve(void *socket, const char *name) { return 32; }
int genl_connect(void *socket) { return 0; }
int nl_socket_modify_cb(void *socket, int type, int kind, int (*call)(void *, void *), void *argument) {
  if (type >= 0 && type < 16) { told[type].call = call; told[type].argument = argument; }
  return 0;
}
/* The end of a dump, and the acknowledgement of a command. */
int nl_recvmsgs_default(void *socket) {
  if (told[1].call) told[1].call(0, told[1].argument);
  if (told[4].call) told[4].call(0, told[4].argument);
  return 0;
}
int nl_send_auto(void *socket, void *message) {
  static char line[20000];
  struct timespec now;
  unsigned char *octets = (unsigned char *)nlmsg_hdr(message);
  unsigned length = nlmsg_hdr(message)->length, at, end;
  if (out < 0) out = open(getenv("SWALLOWED_LOG"), O_WRONLY | O_CREAT | O_APPEND, 0600);
  clock_gettime(CLOCK_REALTIME, &now);
  end = sprintf(line, "%lld.%06ld %u ", (long long)now.tv_sec, now.tv_nsec / 1000, octets[16]);
  for (at = 20; at < length && at < 9000; at++) end += sprintf(line + end, "%02x", octets[at]);
  line[end++] = 10;
  if (write(out, line, end) < 0) return -1;
  return length;
}
`;

/** The library's path; undefined: there is no compiler on this machine. */
export function compileSwallower(directory: string): string | undefined {
  const [text, library] = [join(directory, "swallow.c"), join(directory, "swallow.so")];
  writeFileSync(text, source);
  try {
    execFileSync("cc", ["-shared", "-fPIC", "-O2", "-w", "-o", library, text], { stdio: "ignore" });
    return library;
  } catch {
    return undefined;
  }
}

/** IPVS_CMD_*. */
export const ipvsCommand = { newDestination: 5, deleteDestination: 7 } as const;

/** When a command was given for an IPv4 address the first time since, in milliseconds since 1970; undefined: not yet. */
export function swallowedAt(file: string, command: number, address: string, since = 0): number | undefined {
  const octets = Buffer.from(address.split(".").map(Number)).toString("hex");
  for (const line of readFileSync(file, "latin1").split("\n")) {
    const [seconds = "", kind = "", body = ""] = line.split(" ");
    const at = Number(seconds) * 1000;
    if (Number(kind) === command && at >= since && body.includes(octets)) return at;
  }
  return undefined;
}
