// Finds the one ISUP message in the body of a SIP-I message.
import { Buffer } from "node:buffer";
import { countIsupClaims, isCoded } from "./body.ts";
import { Header } from "../header.ts";
import { readMediaType, type MediaType } from "../fields/media-type.ts";
import { headerValue, type SipMessage } from "../message.ts";
import { plainEncodings, readParts } from "./multipart.ts";
import { isupTypes } from "./passing-types.ts";

/**
 * The octets of an ISUP message in a SIP body, from the message type on: `bytes[start, end)` (RFC
 * 3204 section 3.1). `bytes` is the received message, or a copy when the body was base64.
 */
export interface IsupBody {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** The parameters of the media type in lower case; "" when absent. */
  readonly version: string;
  readonly base: string;
}

/** At most this many octets: a longer body is no ISUP message. */
const MAX_OCTETS = 4096;
const MAX_BASE64 = 8192;

/**
 * Finds the one ISUP message of a body that claims to hold one. Networks obey the ISUP part before
 * the SIP fields. So anything that another reader could take for a second ISUP message, or find
 * elsewhere, makes the body unreadable.
 * @returns the message, or a text that says why it cannot be read
 */
export function readIsupBody(message: SipMessage): IsupBody | string {
  if (isCoded(message)) return "Content-Encoding";
  const index = message.first[Header.contentType]!;
  const type = index < 0 ? undefined : readMediaType(headerValue(message, index));
  if (type === undefined) return "a Content-Type that can't be read";
  const encoding = encodingOf(message);
  if (encoding === undefined) return "more than one Content-Transfer-Encoding";
  const { bytes, bodyStart, end } = message;
  if (isIsup(type)) return take(bytes, bodyStart, end, type, encoding);
  if (!type.name.startsWith("multipart/")) return `a body of type ${type.name}`;
  if (!plainEncodings.has(encoding)) return "parts inside an encoded body";
  const parts = readParts(bytes, bodyStart, end, type);
  if (typeof parts === "string") return parts;
  const [part, second] = parts.filter((candidate) => isIsup(candidate.type));
  if (part === undefined) return "no part of type application/isup";
  if (second !== undefined) return "two ISUP parts";
  if (countIsupClaims(message) !== 1) return "a second claim to be ISUP";
  return take(bytes, part.start, part.end, part.type, part.encoding);
}

function isIsup({ name }: MediaType): boolean {
  return isupTypes.has(name);
}

/** Returns the Content-Transfer-Encoding of the whole body, or undefined when it appears twice. */
function encodingOf(message: SipMessage): string | undefined {
  const index = message.first[Header.contentTransferEncoding]!;
  if (index < 0) return "";
  if (message.count[Header.contentTransferEncoding] !== 1) return undefined;
  return headerValue(message, index).trim().toLowerCase();
}

function take(
  bytes: Buffer,
  start: number,
  end: number,
  { parameters }: MediaType,
  encoding: string,
): IsupBody | string {
  const version = (parameters.get("version") ?? "").toLowerCase();
  const base = (parameters.get("base") ?? "").toLowerCase();
  if (plainEncodings.has(encoding)) {
    if (end - start > MAX_OCTETS) return "too long for ISUP";
    return { bytes, start, end, version, base };
  }
  if (encoding !== "base64") return `Content-Transfer-Encoding ${encoding}`;
  if (end - start > MAX_BASE64) return "too long for ISUP";
  const decoded = decodeBase64(bytes, start, end);
  if (decoded === undefined) return "base64 that can't be read";
  return { bytes: decoded, start: 0, end: decoded.length, version, base };
}

/**
 * Decodes base64 (RFC 2045 section 6.8). Only white space may stand between the digits: other
 * readers skip more, or stop.
 */
function decodeBase64(bytes: Buffer, start: number, end: number): Buffer | undefined {
  const digits = Buffer.allocUnsafe(end - start);
  let length = 0;
  let padding = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (byte === 0x0d || byte === 0x0a || byte === 0x20 || byte === 0x09) continue;
    if (byte === 0x3d) padding++;
    else if (padding > 0 || !isBase64(byte)) return undefined;
    digits[length++] = byte;
  }
  if (length % 4 !== 0 || padding > 2) return undefined;
  return Buffer.from(digits.toString("latin1", 0, length), "base64");
}

function isBase64(byte: number): boolean {
  const letter = byte | 0x20;
  return (
    (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2f
  );
}
