import { readFileSync, readlinkSync } from "node:fs";
import { formatAddress } from "../../net/address.ts";
import { formatEndpoint } from "../../net/endpoint.ts";

/** sd_listen_fds(3): the first descriptor that is passed. */
const FIRST = 3;

/** More listeners than a branch has room for (one base-36 digit). */
const MOST = 36;

/**
 * The sockets that systemd passed to this process (sd_listen_fds(3)); none when there are none. A string says what is wrong. systemd
 * holds them too, so that what arrives between two runs waits in them. They are known by their addresses: the names in LISTEN_FDNAMES
 * can't hold a colon.
 */
export function findInheritedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly InheritedSocket[] | string {
  const { LISTEN_PID: forPid, LISTEN_FDS: count = "0", LISTEN_FDNAMES: names = "" } = env;
  // Meant for another process, whose environment came down to us.
  if (forPid !== String(pid)) return [];
  const total = Number(count);
  if (!Number.isInteger(total) || total < 0 || total > MOST)
    return `LISTEN_FDS=${count}: expected a number of sockets, ${MOST} at most`;
  const named = names.split(":");
  const sockets: InheritedSocket[] = [];
  for (let index = 0; index < total; index++) {
    const fd = FIRST + index;
    const id = findBoundAddress(fd);
    if (id === undefined) {
      const name = named[index] ?? "";
      return `inherited socket ${fd}${name === "" ? "" : ` (${name})`} is not a bound UDP socket; use ListenDatagram= in the socket unit`;
    }
    sockets.push({ fd, id });
  }
  return sockets;
}

/** Every listener has its socket and every socket its listener; else what is wrong, in words. */
export function matchInherited(
  sockets: readonly InheritedSocket[],
  listen: readonly { readonly id: string }[],
): string | undefined {
  if (sockets.length === 0) return undefined;
  const wanted = listen.filter(({ id }) => id.startsWith("udp:")).map(({ id }) => id);
  const passed = sockets.map(({ id }) => id);
  const extra = passed.filter((id) => !wanted.includes(id));
  const missing = wanted.filter((id) => !passed.includes(id));
  if (extra.length === 0 && missing.length === 0) return undefined;
  return [
    ...extra.map((id) => `the service manager passed ${id}, which is not in \`listen\``),
    ...missing.map((id) => `\`listen\` has ${id}, which the service manager did not pass`),
  ].join("; ");
}

/** Asked of /proc, since Node must be told the family of a descriptor before it takes it. */
function findBoundAddress(fd: number): string | undefined {
  let inode: string;
  try {
    inode = readlinkSync(`/proc/self/fd/${fd}`).slice("socket:[".length, -1);
  } catch {
    return undefined;
  }
  return findLocal("/proc/net/udp", inode) ?? findLocal("/proc/net/udp6", inode);
}

/** proc_pid_net(5): the second column is the local address in hexadecimal, the tenth the inode. */
function findLocal(table: string, inode: string): string | undefined {
  const rows = readFileSync(table, "latin1").split("\n").slice(1);
  for (const row of rows) {
    const columns = row.trim().split(/\s+/);
    const [address = "", port = ""] = columns[1]?.split(":") ?? [];
    if (columns[9] !== inode || address === "") continue;
    return `udp:${formatEndpoint({ address: readHexAddress(address), port: Number.parseInt(port, 16) })}`;
  }
  return undefined;
}

/** Words of four bytes in the order of the machine, which is little-endian wherever Node runs on Linux but s390x. */
function readHexAddress(hex: string): string {
  let value = 0n;
  for (let word = 0; word < hex.length; word += 8) {
    for (let byte = 6; byte >= 0; byte -= 2)
      value = (value << 8n) | BigInt(`0x${hex.slice(word + byte, word + byte + 2)}`);
  }
  return formatAddress({ bits: hex.length === 8 ? 32 : 128, value });
}

/** A bound UDP socket that the service manager passed. */
export interface InheritedSocket {
  readonly fd: number;
  /** As in `listen`. */
  readonly id: string;
}
