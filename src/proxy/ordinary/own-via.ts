// Finds our own Via on top of a response, as we wrote it, and the call that it names.
import { Buffer } from "node:buffer";
import { CALL_TAG_LENGTH } from "../../calls/call-tag.ts";
import { NO_CALL, type CallSlot } from "../../calls/calls.ts";
import { Header } from "../../sip/header.ts";
import { BRANCH_LENGTH, MAC_LENGTH } from "../../sip/tag.ts";
import { boundOf } from "../sending/call-mark.ts";
import { octetsOf, standsAt } from "../octets/octets.ts";
import type { OrdinaryTurn } from "./ordinary-turn.ts";

/** Where our Via stands. Reused. */
export interface OwnVia {
  /** The listener that the request came in by. */
  ingress: number;
  /** Where the MAC of the branch begins, and where the branch ends. */
  macStart: number;
  branchEnd: number;
  /** The comma that ends the value, or the end of the field. */
  end: number;
  /** The call of the mark beside the branch; {@link NO_CALL}: it names none that is known here. */
  slot: CallSlot;
  isWithin: boolean;
}

export function createOwnVia(): OwnVia {
  return { ingress: 0, macStart: 0, branchEnd: 0, end: 0, slot: NO_CALL, isWithin: false };
}

const prefix = octetsOf("z9hG4bKsw");
const mark = octetsOf(";sw=");
const MARK_LENGTH = mark.length;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const SMALL_S = 0x73;
const SMALL_W = 0x77;
const SMALL_D = 0x64;
const EQUALS = 0x3d;

/**
 * Reads our Via. Its branch is not proved yet.
 *
 * @returns false where the Via is not written as we write it
 */
export function readOwnVia(turn: OrdinaryTurn, via: OwnVia): boolean {
  const { message, own } = turn;
  const { bytes } = message;
  const index = message.first[Header.via]!;
  if (message.folded[index] === 1) return false;
  const start = message.valueStart[index]!;
  const stop = message.valueEnd[index]!;
  let branch = -1;
  for (let i = 0; i < own.length && branch < 0; i++) {
    const written = own[i]!.via;
    if (standsAt(bytes, start, written)) branch = start + written.length;
  }
  const branchEnd = branch + BRANCH_LENGTH;
  if (branch < 0 || branchEnd > stop || !standsAt(bytes, branch, prefix)) return false;
  if (branchEnd < stop && bytes[branchEnd] !== SEMICOLON && bytes[branchEnd] !== COMMA) return false;
  via.ingress = digitOf(bytes[branch + prefix.length]!);
  via.macStart = branchEnd - MAC_LENGTH;
  via.branchEnd = branchEnd;
  let end = branchEnd;
  while (end < stop && bytes[end] !== COMMA) end++;
  via.end = end;
  return via.ingress >= 0 && via.ingress < own.length && readMark(turn, via);
}

/** The value of a digit of base 36, as we write it; -1 for any other octet. */
function digitOf(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  return c >= 0x61 && c <= 0x7a ? c - 0x57 : -1;
}

/**
 * Reads the mark behind the branch.
 *
 * @returns false where a mark, or what looks like one, stands at another place of our Via
 */
function readMark({ proxy, message: { bytes } }: OrdinaryTurn, via: OwnVia): boolean {
  const { branchEnd, end } = via;
  via.slot = NO_CALL;
  let marks = 0;
  for (let i = branchEnd; i + 3 < end; i++) if (bytes[i] === SEMICOLON && isMark(bytes, i)) marks++;
  if (marks === 0) return true;
  if (marks > 1 || !isMark(bytes, branchEnd)) return false;
  const at = branchEnd + MARK_LENGTH;
  if (at + CALL_TAG_LENGTH > end) return true;
  via.isWithin = bytes[branchEnd + 2] === SMALL_D;
  const bound = boundOf(via.isWithin);
  for (let i = 0; i < bound; i++) tweak[i] = bytes[via.macStart + i]!;
  if (proxy.callTags.find(bytes, at, CALL_TAG_LENGTH, tweak, bound))
    via.slot = proxy.calls.named(proxy.callTags.found);
  return true;
}

const tweak = Buffer.alloc(MAC_LENGTH);

/** True for `;sw=` and `;sd=`. */
function isMark(bytes: Uint8Array, at: number): boolean {
  return (
    bytes[at] === SEMICOLON &&
    bytes[at + 1] === SMALL_S &&
    (bytes[at + 2] === SMALL_W || bytes[at + 2] === SMALL_D) &&
    bytes[at + 3] === EQUALS
  );
}
