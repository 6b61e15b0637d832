// Time stamps of an authority: the request for a hash, and what its reply says (RFC 3161).
import { Buffer } from "node:buffer";
import { hash, randomBytes } from "node:crypto";
import { type DerValue, readDer, Tag, writeDer } from "./der.ts";

const sha256 = Buffer.from("608648016503040201", "hex");
const signedData = "2a864886f70d010702";
const timeStampInfo = "2a864886f70d0109100104";
const nothing = Buffer.from("0500", "hex");

/** The content types of request and reply (RFC 3161 section 3.4). */
export const queryType = "application/timestamp-query";
export const replyType = "application/timestamp-reply";

/** A request: its octets, and the number that the reply must repeat. */
export interface TimeStampQuery {
  readonly bytes: Buffer;
  readonly nonce: Buffer;
}

/** Asks for a stamp of the SHA-256 hash of `message`, with the certificate of the authority in the reply. */
export function writeTimeStampQuery(message: Uint8Array): TimeStampQuery {
  const nonce = randomBytes(8);
  // A positive integer in its shortest form: the first octet is from 1 to 127.
  nonce[0] = ((nonce[0] ?? 0) & 0x7f) | 1;
  const imprint = writeDer(
    Tag.sequence,
    writeDer(Tag.sequence, writeDer(Tag.oid, sha256), nothing),
    writeDer(Tag.octets, hash("sha256", message, "buffer")),
  );
  const bytes = writeDer(
    Tag.sequence,
    writeDer(Tag.integer, Buffer.from([1])),
    imprint,
    writeDer(Tag.integer, nonce),
    writeDer(Tag.boolean, Buffer.from([0xff])),
  );
  return { bytes, nonce };
}

/** What a reply says. Its signature is not checked here: `openssl ts -verify` does. */
export interface TimeStamp {
  /** When the authority saw the hash, as it writes it: `20261130120000Z`. */
  readonly time: string;
  readonly nonce: Buffer | undefined;
}

const damaged = "the reply is no time stamp reply of RFC 3161";

/**
 * Reads a reply, and compares its imprint with the hash of `message`.
 * @returns in words why it is no stamp of this message
 */
export function readTimeStampReply(bytes: Buffer, message: Uint8Array): TimeStamp | string {
  const [status, token] = childrenOf(readDer(bytes)?.[0], Tag.sequence);
  const granted = childrenOf(status, Tag.sequence)[0];
  if (granted?.tag !== Tag.integer || granted.content.length !== 1) return damaged;
  // 0: granted; 1: granted with modifications.
  const code = granted.content[0] ?? 0xff;
  if (code > 1) return `the authority refused the time stamp with status ${code}`;
  const [type, wrapped] = childrenOf(token, Tag.sequence);
  const [data] = childrenOf(wrapped, Tag.context0);
  if (type?.content.toString("hex") !== signedData) return damaged;
  const content = childrenOf(data, Tag.sequence).find(({ tag }) => tag === Tag.sequence);
  const [infoType, infoWrapped] = childrenOf(content, Tag.sequence);
  const [octets] = childrenOf(infoWrapped, Tag.context0);
  if (infoType?.content.toString("hex") !== timeStampInfo || octets?.tag !== Tag.octets) return damaged;
  const info = childrenOf(readDer(octets.content)?.[0], Tag.sequence);
  const [algorithm, digest] = childrenOf(info[2], Tag.sequence);
  const [digestType] = childrenOf(algorithm, Tag.sequence);
  const time = info.find(({ tag }) => tag === Tag.time);
  if (digestType === undefined || digest === undefined || time === undefined) return damaged;
  const isOurs =
    digestType.content.equals(sha256) && digest.content.equals(hash("sha256", message, "buffer"));
  if (!isOurs)
    return "the time stamp is one of something else: its message imprint is not the hash of this checkpoint";
  // Behind the time an integer is the nonce; the accuracy is a sequence.
  const nonce = info.slice(info.indexOf(time)).find(({ tag }) => tag === Tag.integer);
  return { time: time.content.toString("latin1"), nonce: nonce?.content };
}

function childrenOf(value: DerValue | undefined, tag: number): readonly DerValue[] {
  return value?.tag === tag ? (readDer(value.content) ?? []) : [];
}
