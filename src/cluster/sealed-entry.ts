// Seals what a node tells, and opens what another node sealed: AES-256-GCM under a key of the key file.
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { type KeptKind, MOST_BATCH } from "./exchange.ts";

/** The keys of all nodes of a prefix. */
export interface ClusterKeys {
  readonly prefix: string;
  readonly seal: Uint8Array;
  /** Makes names of subjects. */
  readonly subjects: Uint8Array;
}

/** What an entry holds. */
export type EntryType = "batch" | "status" | "kept" | "name" | "bye" | "hello";

/** What stands before the sealed octets, readable and under the seal. */
export interface EntryHead {
  readonly type: EntryType;
  /** Random number of the process, 16 hexadecimal digits: two processes of one name differ in it. */
  readonly instance: string;
  readonly epoch: number;
  /** Counts batches and kept entries from 1 on; of other entries it is that of the last one. */
  readonly sequence: number;
  /** Wall time of the sealing. Unix milliseconds. */
  readonly at: number;
  /** How long the entry had waited by then. Milliseconds. */
  readonly held: number;
}

export interface OpenedEntry extends EntryHead {
  readonly bytes: Uint8Array;
}

const types: readonly EntryType[] = ["batch", "status", "kept", "name", "bye", "hello"];
const VERSION = 1;
const KEY = 32;
const HEAD = 30;
const NONCE = 12;
const TAG = 16;
const BODY = HEAD + NONCE;
/** Octets of a sealed entry; what is longer is not opened. */
export const MOST_SEALED: number = MOST_BATCH + BODY + TAG;
const MOST_HELD = 2 ** 32 - 1;

/** Derives the keys (RFC 5869). @param secret the octets of the key file */
export function deriveKeys(secret: Uint8Array, prefix: string): ClusterKeys {
  const derive = (info: string): Uint8Array => new Uint8Array(hkdfSync("sha256", secret, "", info, KEY));
  return {
    prefix,
    seal: derive(`sigwall cluster 1 ${prefix}`),
    subjects: derive(`sigwall cluster subjects 1 ${prefix}`),
  };
}

/** The name of a kept entry in Redis: a MAC, so that no number can be read there. */
export function nameSubject({ subjects }: ClusterKeys, kind: KeptKind, subject: string): string {
  return createHmac("sha256", subjects)
    .update(`${kind}\0${subject}`)
    .digest()
    .subarray(0, 16)
    .toString("base64url");
}

/** Seals the octets of a node. The head and the names of prefix and node are under the seal. */
export function sealEntry(keys: ClusterKeys, node: string, head: EntryHead, bytes: Uint8Array): Buffer {
  const sealed = Buffer.alloc(BODY + bytes.length + TAG);
  sealed[0] = VERSION;
  sealed[1] = types.indexOf(head.type) + 1;
  sealed.write(head.instance, 2, 8, "hex");
  sealed.writeUInt32BE(head.epoch, 10);
  sealed.writeUIntBE(head.sequence, 14, 6);
  sealed.writeUIntBE(Math.max(0, Math.floor(head.at)), 20, 6);
  sealed.writeUInt32BE(Math.min(MOST_HELD, Math.max(0, Math.floor(head.held))), 26);
  const nonce = randomBytes(NONCE);
  nonce.copy(sealed, HEAD);
  const cipher = createCipheriv("aes-256-gcm", keys.seal, nonce);
  cipher.setAAD(boundTo(keys.prefix, node, sealed));
  cipher.update(bytes).copy(sealed, BODY);
  cipher.final();
  cipher.getAuthTag().copy(sealed, BODY + bytes.length);
  return sealed;
}

/**
 * Opens an entry that stands under the name of a node.
 *
 * @returns why it can't be opened: it is too long, has another form, or was not sealed with our key for this node
 */
export function openEntry(
  keys: ClusterKeys,
  node: string,
  sealed: Buffer,
): OpenedEntry | "length" | "form" | "seal" {
  if (sealed.length > MOST_SEALED) return "length";
  const type = types[(sealed[1] ?? 0) - 1];
  if (sealed.length < BODY + TAG || sealed[0] !== VERSION || type === undefined) return "form";
  const decipher = createDecipheriv("aes-256-gcm", keys.seal, sealed.subarray(HEAD, BODY));
  decipher.setAAD(boundTo(keys.prefix, node, sealed));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  const bytes = decipher.update(sealed.subarray(BODY, sealed.length - TAG));
  try {
    decipher.final();
  } catch {
    return "seal";
  }
  return {
    type,
    instance: sealed.toString("hex", 2, 10),
    epoch: sealed.readUInt32BE(10),
    sequence: sealed.readUIntBE(14, 6),
    at: sealed.readUIntBE(20, 6),
    held: sealed.readUInt32BE(26),
    bytes,
  };
}

/** What the seal binds beside the octets. Names have no zero octet, so that no two pairs of them are written alike. */
function boundTo(prefix: string, node: string, sealed: Buffer): Buffer {
  return Buffer.concat([sealed.subarray(0, HEAD), Buffer.from(`${prefix}\0${node}`)]);
}
