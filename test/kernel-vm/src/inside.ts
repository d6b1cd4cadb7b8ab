// What runs inside: two scripts. The first, of busybox, finds the way to this machine's own files; the second, of the
// shell found there, does what it is told on the second serial line.

/** A word for a shell, whatever is in it. */
export const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** The tags under which the machine's files and the shared directory are found. */
export const tags = { root: "machine", share: "share" } as const;

/** How commands and their ends are told: lines of the second serial line. */
const controlLine = "/dev/ttyS1";

/** Told once, when commands are listened to. */
export const readyWord = "ready";

export interface FirstScriptFacts {
  /** Paths in the first root directory, in the order in which they are loaded. */
  readonly modules: readonly string[];
  /** The shared directory: the same path on both sides. */
  readonly directory: string;
  readonly release: string;
  readonly modulesAt: string;
}

/**
 * The machine's own root directory is seen as it is but never written to: what is written goes to memory above it. Its
 * files do not change meanwhile as far as the inside is concerned ("loose"); those of the shared directory do.
 */
export const firstScript = ({ modules, directory, release, modulesAt }: FirstScriptFacts): string => `#!/bin/busybox sh
set -e
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
${modules.map((path) => `$b insmod ${path}`).join("\n")}
over9p=trans=virtio,version=9p2000.L,msize=524288
$b mount -t 9p -o ro,cache=loose,$over9p ${tags.root} /lower
$b mount -t tmpfs tmpfs /upper
$b mkdir /upper/files /upper/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work overlay /whole
$b mount -t 9p -o cache=none,$over9p ${tags.share} /whole${quoted(directory)}
$b mount -t tmpfs tmpfs /whole/run
$b mount -t devtmpfs dev /whole/dev
$b mount -t proc proc /whole/proc
$b mount -t sysfs sys /whole/sys
$b mkdir -p /whole/lib/modules /whole/dev/pts /whole/dev/shm
$b ln -sfn ${quoted(modulesAt)} /whole/lib/modules/${release}
$b umount /dev /proc
exec $b switch_root /whole /bin/sh ${quoted(`${directory}/inside`)} ${quoted(directory)}
`;

/**
 * Each line names a command in the shared directory and the seconds that it may take. It runs beside the others; its end
 * is told with its exit code.
 */
export const secondScript = `
directory="$1"
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mkdir -p /run/netns /run/lock
hostname vm
ip link set lo up
echo 1 >/proc/sys/kernel/printk
stty -F ${controlLine} raw -echo
exec 3<>${controlLine}
echo ${readyWord} >&3
while read -r number seconds <&3; do
  (
    cd "$directory/$number"
    timeout -k 2 "$seconds" sh ./command </dev/null >stdout 2>stderr 3>&-
    echo "$number $?" >&3
  ) &
done
`;
