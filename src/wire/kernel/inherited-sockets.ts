// UDP sockets that systemd passes to the process, and whether they match the listeners.
import { readFileSync, readlinkSync } from "node:fs";
import { formatAddress } from "../../net/address.ts";
import { formatEndpoint } from "../../net/endpoint.ts";

/** The first descriptor that is passed (sd_listen_fds(3)). */
const FIRST = 3;

/**
 * At most this many sockets, because at most this many listeners: a branch names one by a base-36
 * digit.
 */
const MOST = 36;

/**
 * Finds the sockets that systemd passed to this process (sd_listen_fds(3)). systemd holds them too,
 * so datagrams between two runs wait in them. They are known by their addresses, because names in
 * LISTEN_FDNAMES can't hold a colon.
 * @returns an empty list when none was passed; a string that says what is wrong
 */
export function findInheritedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): readonly InheritedSocket[] | string {
  const { LISTEN_PID: forPid, LISTEN_FDS: count = "0", LISTEN_FDNAMES: names = "" } = env;
  // The variables are inherited from another process that they were meant for.
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

/**
 * Checks that every UDP listener has its socket and every socket its listener.
 * @returns what is wrong, in words; undefined when all match
 */
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

/**
 * Finds the address of a descriptor in /proc, because Node needs its family before taking it over.
 */
function findBoundAddress(fd: number): string | undefined {
  let inode: string;
  try {
    inode = readlinkSync(`/proc/self/fd/${fd}`).slice("socket:[".length, -1);
  } catch {
    return undefined;
  }
  return findLocal("/proc/net/udp", inode) ?? findLocal("/proc/net/udp6", inode);
}

/**
 * Finds the local address of a socket by its inode. Column 2 is the address in hexadecimal, column
 * 10 the inode (proc_pid_net(5)).
 */
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

/**
 * Reads words of four bytes in machine order: little-endian wherever Node runs on Linux, but for
 * s390x.
 */
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
  /** Canonical id, as in `listen`. */
  readonly id: string;
}
