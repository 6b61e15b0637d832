// Writes events of calls as frames of the ring: numbers and texts, in the call thread, with little garbage.
import { numberFound } from "./attempt-line.ts";
import { PrivacyFlag, type CallAttempt } from "../../domain/attempt.ts";
import {
  type Action,
  type CallDecided,
  type CallEvent,
  type CallsShed,
  endedBys,
  howEndeds,
  type RequestDecided,
} from "../../domain/call.ts";
import type { Decision, VerdictKind } from "../../domain/decision.ts";
import { verdictKinds } from "../../domain/decision.ts";
import { type AssertedIdentity, identitySources, type ShownName } from "../../domain/identity.ts";
import { type PartyNumber, unusableWhys } from "../../domain/number.ts";
import { causeOf } from "../../domain/reason.ts";
import {
  actionKinds,
  Frame,
  nameSources,
  MOST_FINDINGS,
  MOST_MESSAGE,
  MOST_PARTIES,
  movedWhys,
  NONE_16,
  NONE_32,
  NumberKind,
  presentations,
  signallings,
  transports,
} from "./frame-layout.ts";
import type { FramePen } from "./frame-pen.ts";

/** Every privacy value, in the order of its bits. */
export const privacyNames = Object.keys(PrivacyFlag);

/** @returns false for an event that makes no line: what it says is in `ended` */
export function makesLine({ kind }: CallEvent): boolean {
  return kind !== "ringing" && kind !== "answered";
}

/** Writes `event` at the place of the pen. `flags`: bits of `FrameFlag`. */
export function writeEvent(pen: FramePen, event: CallEvent, flags: number): void {
  switch (event.kind) {
    case "decided":
      begin(pen, Frame.decided, flags, event.at);
      pen.own(event.call.id);
      pen.own(event.overlapOf);
      writeDecision(pen, event);
      break;
    case "request":
      begin(pen, Frame.request, flags, event.at);
      pen.own(event.call?.id);
      pen.peer(event.method);
      // The attempt of a request that was refused unread holds no party.
      pen.u8(event.refusedAs === undefined ? 0 : 1);
      writeDecision(pen, event);
      break;
    case "moved":
      begin(pen, Frame.moved, flags, event.at);
      pen.own(event.call.id);
      pen.name(event.call.trunk);
      pen.name(event.hop);
      pen.u8(movedWhys.indexOf(event.why));
      break;
    case "ended":
      begin(pen, Frame.ended, flags, event.at);
      pen.own(event.call.id);
      pen.name(event.call.trunk);
      pen.u8(endedBys.indexOf(event.by));
      pen.u8(howEndeds.indexOf(event.how));
      pen.u16(event.status ?? NONE_16);
      pen.u16(event.cause ?? NONE_16);
      pen.u32(event.ringingMs ?? NONE_32);
      pen.u32(event.answeredMs ?? NONE_32);
      pen.f64(event.talkedMs ?? -1);
      break;
    case "shed":
      writeShed(pen, event, flags);
      break;
    case "ringing":
    case "answered":
      break;
  }
}

/** Writes how many events found no room. */
export function writeGap(pen: FramePen, from: number, to: number, lost: number): void {
  begin(pen, Frame.gap, 0, to);
  pen.f64(from);
  pen.u32(lost);
}

function begin(pen: FramePen, kind: number, flags: number, at: number): void {
  pen.u8(kind);
  pen.u8(flags);
  pen.f64(at);
}

function writeShed(pen: FramePen, event: CallsShed, flags: number): void {
  begin(pen, Frame.shed, flags, event.to);
  pen.name(event.trunk);
  pen.name(event.reason);
  pen.u16(event.status);
  pen.u32(event.count);
  pen.f64(event.from);
  pen.u8(event.of === undefined ? 0 : 1);
}

function writeDecision(pen: FramePen, event: CallDecided | RequestDecided): void {
  const { decision, action, bytes } = event;
  const { attempt, verdict, rule, shadow, marks, revision } = decision;
  writeAttempt(pen, attempt);
  pen.name(event.kind === "decided" ? event.listener : undefined);
  pen.u8(codeOf(verdict.kind));
  pen.name(verdict.reason);
  pen.name(rule);
  pen.name(revision);
  const shadows = Math.min(shadow.length, MOST_FINDINGS);
  pen.u8(shadows);
  for (let i = 0; i < shadows; i++) {
    const hit = shadow[i]!;
    pen.name(hit.rule);
    pen.u8(codeOf(hit.verdict.kind));
    pen.name(hit.verdict.reason);
    pen.own(numberFound(attempt, hit.verdict.facts));
    // The line of the rule line-state is a trunk or a lessee.
    pen.own(hit.rule === "line-state" ? undefined : textFact(hit.verdict.facts?.["line"]));
  }
  const marked = Math.min(marks.length, MOST_FINDINGS);
  pen.u8(marked);
  for (let i = 0; i < marked; i++) {
    pen.u8(codeOf(marks[i]!.kind));
    pen.name(marks[i]!.reason);
  }
  const { facts } = verdict;
  pen.own(textFact(facts?.["fault"]));
  pen.own(textFact(facts?.["line"]));
  pen.own(textFact(facts?.["finding"]));
  pen.own(textFact(facts?.["notice"]));
  writeAction(pen, action, decision);
  const isWhole = event.kind === "decided" || event.method === "INVITE";
  const length = bytes === undefined ? 0 : Math.min(isWhole ? bytes.length : headOf(bytes), MOST_MESSAGE);
  pen.u32(bytes?.length ?? 0);
  pen.u32(length);
  if (bytes !== undefined) pen.octets(bytes, length);
}

/** Octets of the head fields. What a MESSAGE says to its receiver is nobody's business. */
function headOf(bytes: Uint8Array): number {
  for (let at = 3; at < bytes.length; at++)
    if (bytes[at] === LF && bytes[at - 1] === CR && bytes[at - 2] === LF) return at + 1;
  return bytes.length;
}

const CR = 0x0d;
const LF = 0x0a;

function textFact(value: string | number | boolean | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function codeOf(kind: VerdictKind): number {
  return verdictKinds.indexOf(kind);
}

function writeAction(pen: FramePen, action: Action, { verdict }: Decision): void {
  const { kind } = action;
  pen.u8(actionKinds.indexOf(kind));
  pen.name(kind === "forwarded" || kind === "redirected" ? action.hop : undefined);
  pen.u16(kind === "answered" ? action.status : NONE_16);
  const cause =
    kind === "released"
      ? action.cause
      : kind === "answered" && verdict.kind !== "accept"
        ? causeOf(verdict.reason)
        : undefined;
  pen.u16(cause ?? NONE_16);
  pen.name(kind === "answered" ? action.why : undefined);
}

function writeAttempt(pen: FramePen, attempt: CallAttempt): void {
  const { origin, circuit, trunk } = attempt;
  pen.u8(signallings.indexOf(origin.signalling));
  pen.u8(transports.indexOf(origin.transport));
  pen.own(origin.sourceAddress);
  pen.u16(origin.sourcePort);
  pen.own(origin.destinationAddress);
  pen.u16(origin.destinationPort);
  pen.name(trunk.id);
  pen.name(trunk.lessee);
  pen.name(trunk.contract);
  pen.name(origin.transport === "tls" ? trunk.tlsName : undefined);
  pen.peer(attempt.callId);
  pen.peer(attempt.requestUri);
  pen.u8(circuit === undefined ? 0 : 1);
  if (circuit !== undefined) {
    pen.u32(circuit.opc);
    pen.u32(circuit.dpc);
    pen.u32(circuit.cic);
    pen.u16(circuit.natureOfAddress ?? NONE_16);
    pen.u16(circuit.screening ?? NONE_16);
  }
  pen.u8(attempt.privacy);
  writeNumber(pen, attempt.called);
  writeParties(pen, attempt.calling);
  writeParties(pen, attempt.diversion);
  writeNames(pen, attempt.names ?? []);
}

function writeNames(pen: FramePen, names: readonly ShownName[]): void {
  const count = Math.min(names.length, MOST_PARTIES);
  pen.u8(count);
  for (let i = 0; i < count; i++) {
    const { source, presentation, display } = names[i]!;
    pen.u8(nameSources.indexOf(source));
    pen.u8(presentations.indexOf(presentation));
    pen.peer(display);
  }
}

function writeParties(pen: FramePen, parties: readonly AssertedIdentity[]): void {
  const count = Math.min(parties.length, MOST_PARTIES);
  pen.u8(count);
  for (let i = 0; i < count; i++) {
    const { source, presentation, display, number } = parties[i]!;
    pen.u8(identitySources.indexOf(source));
    pen.u8(presentations.indexOf(presentation));
    pen.peer(display);
    writeNumber(pen, number);
  }
}

function writeNumber(pen: FramePen, number: PartyNumber): void {
  if (number.kind === "e164") {
    pen.u8(NumberKind.e164);
    pen.own(number.e164);
  } else if (number.kind === "short") {
    pen.u8(NumberKind.short);
    pen.own(number.code);
  } else {
    pen.u8(NumberKind.unusable);
    pen.u8(unusableWhys.indexOf(number.why));
  }
  pen.peer(number.raw);
}
