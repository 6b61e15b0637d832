// The octets of a status and of a kept entry: written for other nodes, and read from them.
import { Buffer } from "node:buffer";
import { type KeptKind, keptKinds, MOST_KEPT, type NodeStatus } from "./exchange.ts";

/** What a node says each second. */
export interface ToldStatus extends NodeStatus {
  /** How long its policy has been in force. Milliseconds. */
  readonly inForce: number;
}

/** A kept entry on its way. */
export interface KeptEntry {
  readonly kind: KeptKind;
  readonly subject: string;
  /** Wall time at which it was kept. Unix milliseconds. */
  readonly at: number;
  /** Undefined: the entry is gone. */
  readonly bytes: Uint8Array | undefined;
}

/** Octets of the fingerprints of all lists. Beyond, they are left out: the revision stands for them. */
const MOST_LISTS = 2 ** 15;
const MOST_STATUS = 2 ** 16;

export function writeStatus(status: ToldStatus): Buffer {
  const written = JSON.stringify(status);
  return Buffer.from(written.length <= MOST_LISTS ? written : JSON.stringify({ ...status, lists: {} }));
}

/** @returns undefined for octets that are no status */
export function readStatus(bytes: Uint8Array): ToldStatus | undefined {
  if (bytes.length > MOST_STATUS) return undefined;
  let read: unknown;
  try {
    read = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
  if (typeof read !== "object" || read === null) return undefined;
  const { revision, lists, isReady, inForce }: Partial<Record<keyof ToldStatus, unknown>> = read;
  if (typeof revision !== "string" || revision.length > 64 || typeof isReady !== "boolean") return undefined;
  if (typeof inForce !== "number" || !(inForce >= 0) || typeof lists !== "object" || lists === null)
    return undefined;
  const named = Object.entries(lists).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return { revision, isReady, inForce, lists: Object.fromEntries(named) };
}

/** Kind, whether the entry is there, length of the subject, wall time. */
const KEPT_HEAD = 10;

export function writeKept({ kind, subject, at, bytes }: KeptEntry): Buffer {
  const name = Buffer.from(subject);
  const head = Buffer.alloc(KEPT_HEAD);
  head[0] = keptKinds.indexOf(kind) + 1;
  head[1] = bytes === undefined ? 0 : 1;
  head.writeUInt16BE(name.length, 2);
  head.writeUIntBE(Math.max(0, Math.floor(at)), 4, 6);
  return Buffer.concat([head, name, bytes ?? new Uint8Array(0)]);
}

/** Tells whether an entry can be kept: {@link MOST_KEPT} octets at most. */
export function fitsKept(subject: string, bytes: Uint8Array | undefined): boolean {
  return Buffer.byteLength(subject) + (bytes?.length ?? 0) <= MOST_KEPT - KEPT_HEAD;
}

/** @returns undefined for octets that are no kept entry */
export function readKept(octets: Uint8Array): KeptEntry | undefined {
  const read = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  const kind = keptKinds[(read[0] ?? 0) - 1];
  if (read.length < KEPT_HEAD || read.length > MOST_KEPT || kind === undefined) return undefined;
  const end = KEPT_HEAD + read.readUInt16BE(2);
  const isThere = read[1] === 1;
  if (end > read.length || (read[1] ?? 2) > 1 || (!isThere && end !== read.length)) return undefined;
  return {
    kind,
    subject: read.toString("utf8", KEPT_HEAD, end),
    at: read.readUIntBE(4, 6),
    bytes: isThere ? read.subarray(end) : undefined,
  };
}
