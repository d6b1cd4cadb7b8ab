// The C library, through koffi. Every native call of Baton is declared here, with types, so that no
// other file sees `any`, a struct layout is next to its use, and pinning or replacing the FFI concerns one file.
import { close as closeInPool } from "node:fs";
import koffi from "koffi";
import { LinuxError } from "./error.ts";

/** Memory that the kernel reads or writes during one call. */
type Memory = Uint8Array;

// The process itself: Node links the C library dynamically, whichever it is.
const program = koffi.load(null);

/**
 * Closes a packet socket that the kernel had bound, in libuv's threads: it waits until every processor has let go of the
 * socket (af_packet's synchronize_net), 10 ms on an idle machine and some hundreds on a busy one.
 */
export const closeAside = (fd: number): void => closeInPool(fd, () => undefined);

export const libc = {
  clockGettime: program.func("int clock_gettime(int clock, void *time)") as (
    clock: number,
    time: Uint32Array,
  ) => number,
  close: program.func("int close(int fd)") as (fd: number) => number,
  read: program.func("long read(int fd, void *data, size_t length)") as (fd: number, data: Memory, n: number) => number,
  timerfdCreate: program.func("int timerfd_create(int clock, int flags)") as (clock: number, flags: number) => number,
  timerfdSettime: program.func("int timerfd_settime(int fd, int flags, void *value, void *old)") as (
    fd: number,
    flags: number,
    value: Memory,
    old: null,
  ) => number,
  socket: program.func("int socket(int family, int type, int protocol)") as (f: number, t: number, p: number) => number,
  bind: program.func("int bind(int fd, void *address, int length)") as (fd: number, a: Memory, n: number) => number,
  connect: program.func("int connect(int fd, void *to, int length)") as (fd: number, a: Memory, n: number) => number,
  setsockopt: program.func("int setsockopt(int fd, int level, int option, void *value, int length)") as (
    fd: number,
    level: number,
    option: number,
    value: Memory,
    length: number,
  ) => number,
  getsockopt: program.func("int getsockopt(int fd, int level, int option, void *value, void *length)") as (
    fd: number,
    level: number,
    option: number,
    value: Memory,
    length: Memory,
  ) => number,
  send: program.func("long send(int fd, void *data, size_t length, int flags)") as (
    fd: number,
    data: Memory,
    length: number,
    flags: number,
  ) => number,
  sendto: program.func("long sendto(int fd, void *data, size_t length, int flags, void *to, int toLength)") as (
    fd: number,
    data: Memory,
    length: number,
    flags: number,
    to: Memory,
    toLength: number,
  ) => number,
  sendmsg: program.func("long sendmsg(int fd, void *message, int flags)") as (
    fd: number,
    message: Memory,
    flags: number,
  ) => number,
  sendmmsg: program.func("int sendmmsg(int fd, void *messages, unsigned int count, int flags)") as (
    fd: number,
    messages: Memory,
    count: number,
    flags: number,
  ) => number,
  recv: program.func("long recv(int fd, void *data, size_t length, int flags)") as (
    fd: number,
    data: Memory,
    length: number,
    flags: number,
  ) => number,
  recvmsg: program.func("long recvmsg(int fd, void *message, int flags)") as (
    fd: number,
    message: Memory,
    flags: number,
  ) => number,
  setDescriptorFlags: program.func("int fcntl(int fd, int command, ...)") as (
    fd: number,
    command: number,
    type: "int",
    flags: number,
  ) => number,
  pipe2: program.func("int pipe2(void *descriptors, int flags)") as (descriptors: Int32Array, flags: number) => number,
  memfdCreate: program.func("int memfd_create(str name, unsigned int flags)") as (
    name: string,
    flags: number,
  ) => number,
  mkfifo: program.func("int mkfifo(str path, uint32_t mode)") as (path: string, mode: number) => number,
  flock: program.func("int flock(int fd, int operation)") as (fd: number, operation: number) => number,
  schedSetscheduler: program.func("int sched_setscheduler(int pid, int policy, void *parameter)") as (
    pid: number,
    policy: number,
    parameter: Memory,
  ) => number,
  schedSetaffinity: program.func("int sched_setaffinity(int pid, size_t length, void *mask)") as (
    pid: number,
    length: number,
    mask: Memory,
  ) => number,
  inotifyInit1: program.func("int inotify_init1(int flags)") as (flags: number) => number,
  inotifyAddWatch: program.func("int inotify_add_watch(int fd, str path, uint32_t mask)") as (
    fd: number,
    path: string,
    mask: number,
  ) => number,
  inotifyRmWatch: program.func("int inotify_rm_watch(int fd, int watch)") as (fd: number, watch: number) => number,
  setns: program.func("int setns(int fd, int kind)") as (fd: number, kind: number) => number,
  // pidfd_open and pidfd_send_signal: no wrapper in Debian 12's C library.
  syscall: program.func("long syscall(long number, long a, long b, void *c, long d)") as (
    number: number,
    a: number,
    b: number,
    c: null,
    d: number,
  ) => number,
  strerror: program.func("str strerror(int errno)") as (errno: number) => string,
} as const;

/** The numbers of <asm-generic/errno.h> that the code decides on; all others are only named. */
export const errnos = {
  eagain: 11,
  eaddrinuse: 98,
  ebadf: 9,
  enobufs: 105,
  etimedout: 110,
  enetdown: 100,
  eexist: 17,
  enoent: 2,
  einval: 22,
  esrch: 3,
  eperm: 1,
} as const;

/** Of two names for one number the one that manuals use. */
const aliases = new Set(["EWOULDBLOCK", "EDEADLOCK", "ENOTSUP"]);
const namesByErrno = new Map<number, string>(
  Object.entries(koffi.os.errno)
    .filter(([name]) => !aliases.has(name))
    .map(([name, number]) => [number, name]),
);

/** "ENODEV" for 19; "E4711" for a number without a name. */
export const errnoName = (errno: number): string => namesByErrno.get(errno) ?? `E${errno}`;

/** The name for the C library's sentence, which is all that raw-socket tells of an error. */
export function errnoNameOfText(text: string): string {
  for (const [errno, name] of namesByErrno) if (libc.strerror(errno) === text) return name;
  return "EUNKNOWN";
}

/** The errno of the last native call of this thread. */
export const lastErrno = (): number => koffi.errno();

export const errorOf = (errno: number, call: string, detail?: string): LinuxError =>
  new LinuxError(errnoName(errno), call, detail ?? libc.strerror(errno));

/** The result of a call, or a LinuxError when it is negative. */
export function checked(result: number, call: string): number {
  if (result < 0) throw errorOf(lastErrno(), call);
  return result;
}

/** As `checked`; on failure the descriptor that was being set up is closed first, so that nothing leaks. */
export function checkedOrClose(result: number, call: string, fd: number): number {
  if (result >= 0) return result;
  const error = errorOf(lastErrno(), call);
  libc.close(fd);
  throw error;
}

/** Where the memory lies, for structs that hold pointers. The caller keeps `memory` referenced as long as the pointer is used. */
export const addressOf = (memory: Memory): bigint => koffi.address(memory);

export function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}
