// Finds the message signal unit in captured frames of MTP2, M2UA and M2PA.
import type { Buffer } from "node:buffer";
import { claimedLength, HEADER } from "./m3ua.ts";

/**
 * Where the service information octet, label and user part of one signalling link message lie; -1
 * when it carries none. The object is reused.
 */
export interface LinkPayload {
  start: number;
  end: number;
  /** Whether less is there than the message says. */
  isCut: boolean;
}

/** Makes an empty payload to be filled. */
export function createLinkPayload(): LinkPayload {
  return { start: -1, end: -1, isCut: false };
}

function none(payload: LinkPayload): false {
  payload.start = -1;
  payload.end = -1;
  payload.isCut = false;
  return false;
}

function give(payload: LinkPayload, start: number, end: number, limit: number): boolean {
  if (start >= Math.min(end, limit)) return none(payload);
  payload.start = start;
  payload.end = Math.min(end, limit);
  payload.isCut = end > limit;
  return true;
}

/** A length indicator of 63 stands for 63 octets or more (Q.703 section 2.3.3). */
const LONG = 63;
/** The same with the extended header of Q.703 annex A, whose indicator has nine bits. */
const LONG_EXTENDED = 511;

/**
 * Finds the message signal unit of an MTP2 frame without flags (Q.703 section 2.2). A frame check
 * sequence is left out when the length tells where it begins. Fill-in and link status units (length
 * 0 to 2) carry none.
 * @param payload is filled
 * @param bytes the buffer that holds the frame
 * @param start where the frame begins
 * @param end where the frame ends
 * @param extended whether the header is the extended one of annex A
 * @returns false when the frame carries no message signal unit
 */
export function readMtp2(
  payload: LinkPayload,
  bytes: Buffer,
  start: number,
  end: number,
  extended: boolean,
): boolean {
  const header = extended ? 6 : 3;
  if (start + header >= end) return none(payload);
  const length = extended ? bytes.readUInt16LE(start + 4) & 0x1ff : bytes[start + 2]! & 0x3f;
  if (length <= 2) return none(payload);
  const from = start + header;
  return give(payload, from, length === (extended ? LONG_EXTENDED : LONG) ? end : from + length, end);
}

const MAUP = 6;
const M2PA = 11;
const DATA = 1;
/**
 * Protocol Data 1, and Protocol Data 2 of TTC, which has a length octet in front (RFC 3331 section
 * 3.3.1.1).
 */
const DATA_1 = 0x0300;
const DATA_2 = 0x0301;
const MAX_PARAMETERS = 32;

/**
 * Finds the message signal unit of an M2UA DATA message (RFC 3331).
 * @returns false when the message carries none
 */
export function readM2ua(payload: LinkPayload, bytes: Buffer, start: number, end: number): boolean {
  const length = claimedLength(bytes, start, end);
  if (length < HEADER || bytes[start] !== 1 || bytes[start + 2] !== MAUP || bytes[start + 3] !== DATA)
    return none(payload);
  let left = MAX_PARAMETERS;
  for (let at = start + HEADER; at + 4 <= end && at < start + length && left > 0; left--) {
    const size = bytes.readUInt16BE(at + 2);
    if (size < 4) return none(payload);
    const tag = bytes.readUInt16BE(at);
    if (tag === DATA_1 || tag === DATA_2)
      return give(payload, at + (tag === DATA_1 ? 4 : 5), Math.min(at + size, start + length), end);
    at += size + ((4 - (size & 3)) & 3);
  }
  return none(payload);
}

/**
 * Octets of an M2PA message in front of the priority: common header, unused and BSN, unused and FSN
 * (RFC 4165 section 2.2).
 */
const M2PA_HEADER = 16;

/**
 * Finds the message signal unit of an M2PA user data message (RFC 4165).
 * @returns false when the message carries none: an empty one only acknowledges
 */
export function readM2pa(payload: LinkPayload, bytes: Buffer, start: number, end: number): boolean {
  const length = claimedLength(bytes, start, end);
  if (length < HEADER || bytes[start] !== 1 || bytes[start + 2] !== M2PA || bytes[start + 3] !== DATA)
    return none(payload);
  return give(payload, start + M2PA_HEADER + 1, start + length, end);
}
