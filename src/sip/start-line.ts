// Reads the start line of a SIP message: the first step of scan.
import type { Buffer } from "node:buffer";
import { noteFault, type SipMessage } from "./message.ts";
import { CR, DEL, isToken, LF, SP, TAB } from "./octet.ts";

/** The methods of the RFCs, the most frequent first. Other methods are legal too. */
export const METHODS: readonly string[] = [
  "INVITE",
  "ACK",
  "BYE",
  "CANCEL",
  "OPTIONS",
  "PRACK",
  "UPDATE",
  "INFO",
  "REGISTER",
  "MESSAGE",
  "SUBSCRIBE",
  "NOTIFY",
  "REFER",
  "PUBLISH",
];

/**
 * Reads the start line into `message`.
 * @returns where it ends, after its line break, or -1 when this is no SIP at all
 */
export function readStartLine(message: SipMessage, bytes: Buffer, start: number): number {
  const isStatus = startsWithVersion(bytes, start, bytes.length);
  // Lines are short: a loop costs less than a call of indexOf().
  let lf = start;
  while (lf < bytes.length && isLineOctet(bytes[lf]!, isStatus)) lf++;
  if (bytes[lf] === CR) lf++;
  if (bytes[lf] !== LF) return -1;
  const end = lf > start && bytes[lf - 1] === CR ? lf - 1 : lf;
  if (end === lf) noteFault(message, "start line ends with LF only");
  if (isStatus) return readStatusLine(message, bytes, start, end) ? lf + 1 : -1;

  let methodEnd = start;
  while (methodEnd < end && isToken[bytes[methodEnd]!] === 1) methodEnd++;
  if (methodEnd === start || bytes[methodEnd] !== SP) return -1;
  let versionEnd = end;
  while (bytes[versionEnd - 1] === SP) versionEnd--;
  let versionStart = versionEnd;
  while (versionStart > methodEnd && bytes[versionStart - 1] !== SP) versionStart--;
  if (versionStart <= methodEnd + 1) return -1;
  if (!startsWithVersion(bytes, versionStart, versionEnd)) return -1;
  if (versionEnd !== end) noteFault(message, "space after the SIP version");
  if (!isVersion2(bytes, versionStart, versionEnd)) noteFault(message, "SIP version is not 2.0", 505);
  message.kind = "request";
  message.method = internMethod(bytes, start, methodEnd);
  message.uriStart = methodEnd + 1;
  message.uriEnd = versionStart - 1;
  let space = message.uriStart;
  while (bytes[space] !== SP) space++;
  if (message.uriStart === message.uriEnd || space < message.uriEnd)
    noteFault(message, "request line is not METHOD SP URI SP SIP/2.0");
  return lf + 1;
}

/**
 * True for an octet that a start line may hold. A reason phrase may hold a tab; a request line may
 * not (RFC 3261 section 25.1).
 */
function isLineOctet(byte: number, isStatus: boolean): boolean {
  return (byte >= SP && byte !== DEL) || (byte === TAB && isStatus);
}

function startsWithVersion(bytes: Buffer, start: number, end: number): boolean {
  return (
    end - start >= 5 &&
    (bytes[start]! | 0x20) === 0x73 &&
    (bytes[start + 1]! | 0x20) === 0x69 &&
    (bytes[start + 2]! | 0x20) === 0x70 &&
    bytes[start + 3] === 0x2f &&
    bytes[start + 4]! >= 0x30 &&
    bytes[start + 4]! <= 0x39
  );
}

function isVersion2(bytes: Buffer, start: number, end: number): boolean {
  return (
    end - start === 7 && bytes[start + 4] === 0x32 && bytes[start + 5] === 0x2e && bytes[start + 6] === 0x30
  );
}

/** Reads `SIP/2.0 SP 3DIGIT SP reason-phrase`. The reason phrase may be empty. */
function readStatusLine(message: SipMessage, bytes: Buffer, start: number, end: number): boolean {
  if (
    end - start < 12 ||
    !isVersion2(bytes, start, start + 7) ||
    bytes[start + 7] !== SP ||
    bytes[start + 11] !== SP
  )
    return false;
  let status = 0;
  for (let i = start + 8; i < start + 11; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return false;
    status = status * 10 + digit;
  }
  if (status < 100 || status > 699) return false;
  message.kind = "response";
  message.status = status;
  return true;
}

/** Returns the method as a string. Methods are case-sensitive (RFC 3261 section 7.1). */
function internMethod(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  for (const method of METHODS) {
    if (method.length !== length || method.charCodeAt(0) !== bytes[start]) continue;
    let i = 1;
    while (i < length && method.charCodeAt(i) === bytes[start + i]) i++;
    if (i === length) return method;
  }
  return bytes.toString("latin1", start, end);
}
