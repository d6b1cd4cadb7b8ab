// Tells a service manager how we are: one datagram to the unix socket that it names in NOTIFY_SOCKET (sd_notify(3)).
// Node has no unix datagram sockets.
import { checked, checkedOrClose, errorOf, libc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
/** sizeof(struct sockaddr_un.sun_path), <linux/un.h>. */
const pathBytesMax = 108;
/** Never waits: a manager that does not read must not stop us (SAFETY S7). */
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;

/** struct sockaddr_un; a path that begins with `@` is in the abstract namespace, where the first byte is zero. */
export function unixAddress(path: string): Uint8Array {
  const name = Buffer.from(path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`);
  if (path === "" || name.length > pathBytesMax) throw errorOf(22, "sendto", `not a unix socket's path: ${path}`);
  const address = Buffer.alloc(2 + name.length);
  address.writeUInt16LE(AF_UNIX, 0);
  name.copy(address, 2);
  return address;
}

/** `state` holds lines such as `READY=1`. Throws LinuxError: ENOENT or ECONNREFUSED when nobody listens there. */
export function sdNotify(socketPath: string, state: string): void {
  const address = unixAddress(socketPath);
  const fd = checked(libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0), "socket");
  const text = Buffer.from(state);
  checkedOrClose(
    libc.sendto(fd, text, text.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length),
    "sendto",
    fd,
  );
  libc.close(fd);
}
