// Keeps the dialog of an ordinary 2xx for a BYE of our own: the record of `responses/dialog-keeping.ts`, written by octets.
import { Buffer } from "node:buffer";
import type { CallSlot } from "../../calls/calls.ts";
import { Header } from "../../sip/header.ts";
import { readVia } from "../../sip/fields/via.ts";
import { headerValue, nextHeader, unfold } from "../../sip/message.ts";
import { LF, SP } from "../../sip/octet.ts";
import { uriOfContact } from "../memory/remote-target.ts";
import { keepDialog } from "../responses/dialog-keeping.ts";
import { putDecimal, putOctets, putText, standsAt } from "../octets/octets.ts";
import type { OrdinaryTurn, OwnOctets } from "./ordinary-turn.ts";
import { uriEndOf, type OrdinaryTag } from "../octets/tag-octets.ts";
import type { OrdinaryVia } from "../octets/via-octets.ts";

/** Where the answer goes. */
export interface AnswerWay {
  readonly via: OrdinaryVia;
  readonly ingress: OwnOctets;
  readonly replyAddress: string;
  readonly replyPort: number;
}

/** Octets of the longest record: a longer one is written by the general path, which knows its own bound. */
const LONGEST = 4096;
const record = Buffer.allocUnsafeSlow(LONGEST);
const LESS = 0x3c;
const QUESTION = 0x3f;
const SEMICOLON = 0x3b;
const COMMA = 0x2c;

/** Keeps the dialog that the 2xx has begun. */
export function keepAnsweredDialog(
  turn: OrdinaryTurn,
  slot: CallSlot,
  tag: OrdinaryTag,
  way: AnswerWay,
): void {
  const { calls } = turn.proxy;
  const setup = calls.setupOf(slot);
  const kept = calls.textOf(slot);
  if (setup === undefined || kept === undefined) return;
  const { head, outcome } = setup;
  const length =
    head === undefined || (outcome.kind === "forward" && outcome.changes !== undefined)
      ? 0
      : writeRecord(turn, tag, way, callerContact(kept, head.contactStart, head.contactEnd), head.isup);
  if (length === 0) {
    keepAsAlways(turn, slot, tag, way);
    return;
  }
  setup.head = undefined;
  calls.noteSequence(slot, "caller", turn.message.cseq);
  calls.keepText(slot, record.toString("latin1", 0, length));
}

function callerContact(text: string, start: number, end: number): string {
  return end === 0 ? "" : uriOfContact(unfold(text.slice(start, end)));
}

/** Writes the record of one dialog, field by field in the order of `memory/kept-dialogs.ts`. @returns its length; 0: none */
function writeRecord(
  turn: OrdinaryTurn,
  tag: OrdinaryTag,
  { ingress, replyAddress, replyPort }: AnswerWay,
  contact: string,
  isup: string | undefined,
): number {
  const { message, listener, address, port } = turn;
  const { bytes, first, folded, valueStart, valueEnd } = message;
  const callId = first[Header.callId]!;
  const from = first[Header.from]!;
  const to = first[Header.to]!;
  const called = contactSpan(message.first[Header.contact]!, bytes, valueStart, valueEnd, folded);
  if (called < 0 || folded[from] === 1 || !isOursAlone(turn, ingress.route)) return 0;
  const fields =
    valueEnd[callId]! -
    valueStart[callId]! +
    valueEnd[from]! -
    valueStart[from]! +
    valueEnd[to]! -
    valueStart[to]!;
  const isupLength = isup === undefined ? 0 : isup.length + 1;
  if (fields + tag.end - tag.start + contact.length + contactEnd - called + isupLength > LONGEST - 256)
    return 0;
  let at = putLine(0, bytes, valueStart[callId]!, valueEnd[callId]!);
  at = putLine(at, bytes, valueStart[from]!, valueEnd[from]!);
  at = putLine(at, bytes, valueStart[to]!, valueEnd[to]!);
  at = putLine(at, bytes, tag.start, tag.end);
  // From as the caller wrote it: the called side was shown the same.
  record[at++] = LF;
  at = putText(record, at, contact);
  record[at++] = LF;
  at = putLine(at, bytes, called, contactEnd);
  // No proxy on either side wants to see the requests of the dialog.
  record[at++] = LF;
  record[at++] = LF;
  at = putPlace(at, ingress.listener.index, replyPort, replyAddress);
  record[at++] = LF;
  at = putPlace(at, listener.index, port, address);
  record[at++] = LF;
  if (isup === undefined) return at;
  record[at++] = 0x69;
  return putText(record, at, isup);
}

function putLine(at: number, bytes: Uint8Array, start: number, end: number): number {
  const next = putOctets(record, at, bytes, start, end);
  record[next] = LF;
  return next + 1;
}

/** Writes `INDEX PORT CONNECTION ADDRESS` of a datagram peer, who has no connection. */
function putPlace(start: number, index: number, port: number, address: string): number {
  let at = putDecimal(record, start, index);
  record[at++] = SP;
  at = putDecimal(record, at, port);
  record[at++] = SP;
  record[at++] = SP;
  return putText(record, at, address);
}

/** Where the URI of the Contact ends that {@link contactSpan} has found. */
let contactEnd = 0;

/** Returns where the URI of an ordinary Contact begins: `<uri>` with or without parameters. -1: it is none. */
function contactSpan(
  index: number,
  bytes: Uint8Array,
  valueStart: Int32Array,
  valueEnd: Int32Array,
  folded: Uint8Array,
): number {
  contactEnd = 0;
  if (index < 0) return 0;
  const start = valueStart[index]!;
  const stop = valueEnd[index]!;
  if (folded[index] === 1 || bytes[start] !== LESS) return -1;
  const end = uriEndOf(bytes, start + 1, stop);
  if (end < 0 || (end + 1 < stop && bytes[end + 1] !== SEMICOLON)) return -1;
  for (let i = end + 1; i < stop; i++) {
    const c = bytes[i]!;
    if (c <= SP || c >= 0x7f || c === 0x22 || c === COMMA || c === LESS || c === 0x3e) return -1;
  }
  contactEnd = end;
  for (let i = start + 1; i < contactEnd; i++) if (bytes[i] === QUESTION) contactEnd = i;
  return start + 1;
}

/** True when each Record-Route field holds one value, which begins as ours do: no proxy stands beyond us. */
function isOursAlone({ message, own, listener }: OrdinaryTurn, route: Uint8Array): boolean {
  const { bytes, valueStart, valueEnd, first } = message;
  const other = own[listener.index]!.route;
  for (let i = first[Header.recordRoute]!; i >= 0; i = nextHeader(message, Header.recordRoute, i)) {
    const start = valueStart[i]!;
    const ours = standsAt(bytes, start, route) ? route : other;
    if (!standsAt(bytes, start, ours)) return false;
    for (let at = start + ours.length; at < valueEnd[i]!; at++) if (bytes[at] === COMMA) return false;
  }
  return true;
}

/** Hands the answer to the general path's own record. */
function keepAsAlways(turn: OrdinaryTurn, slot: CallSlot, tag: OrdinaryTag, way: AnswerWay): void {
  const { proxy, now, policy, message, listener, address, port } = turn;
  const { edits } = proxy.workspace;
  const at = now + proxy.state.wall.ahead;
  const callId = headerValue(message, message.first[Header.callId]!);
  const via = readVia(message.text.slice(way.via.start, way.via.end), 0);
  if (via === undefined) return;
  const { replyAddress, replyPort } = way;
  const path = { via, replyAddress, replyPort, callId, cseq: message.cseq };
  const calledTag = message.text.slice(tag.start, tag.end);
  keepDialog({ proxy, now, at, policy, message, edits, listener, address, port }, slot, calledTag, {
    path,
    ingress: way.ingress.listener,
  });
}
