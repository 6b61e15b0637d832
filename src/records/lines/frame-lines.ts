// Makes record lines of the frames of the ring, in the records thread.
import type { Buffer } from "node:buffer";
import type { SeizedCircuit, SignallingSource } from "../../domain/attempt.ts";
import { type DecidedBy, verdictKinds, type VerdictKind } from "../../domain/decision.ts";
import { isReasonCode, type ReasonCode } from "../../domain/reason.ts";
import { type RuleId, ruleIds } from "../../domain/rule-id.ts";
import type { Millis } from "../../domain/time.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import type { IdentityLine, MarkLine, NumberLine, ShadowLine } from "./attempt-line.ts";
import { privacyNames } from "./event-frames.ts";
import { createFrameCursor, type FrameCursor } from "./frame-cursor.ts";
import {
  actionKinds,
  endedBys,
  Frame,
  FrameFlag,
  howEndeds,
  identitySources,
  movedWhys,
  NONE_16,
  NONE_32,
  NumberKind,
  presentations,
  signallings,
  transports,
  unusableWhys,
} from "./frame-layout.ts";
import { formatLineTime } from "./line-time.ts";
import { createShapeReader, type MessageShape } from "./message-shape.ts";
import type { DecidedLine, RecordLine, RequestLine } from "./record-line.ts";

/** A message that is to be kept as evidence. */
export interface FrameEvidence {
  readonly origin: {
    readonly signalling: SignallingSource["signalling"];
    readonly transport: SignallingSource["transport"];
    /** `192.0.2.1:5060`; undefined on a signalling link. */
    readonly source: string | undefined;
    readonly destination: string | undefined;
  };
  /** At most 16 KiB of the message. A view: it stays until the next frame is read. */
  readonly bytes: Buffer;
  readonly originalLength: number;
}

/** What a frame says. */
export interface FrameReading {
  readonly at: Millis;
  /** `lost` events found no room; undefined: the frame has a line of its own. */
  readonly lost?: { readonly from: Millis; readonly count: number };
  readonly line: RecordLine | undefined;
  readonly evidence: FrameEvidence | undefined;
  /** True when somebody waits until the line is on disk. */
  readonly isAwaited: boolean;
}

/** What the lines need beside the frames. */
export interface FrameContext {
  readonly node: string;
  /** The lessee of a trunk of the policy in force. */
  readonly lesseeOf: (trunk: string) => string | undefined;
  /** Names with numbers that earlier frames have brought. */
  readonly names: readonly string[];
}

/** Makes a reader of frames. It throws for octets that the pen did not write. */
export function createFrameReader({ node, lesseeOf, names }: FrameContext): (frame: Buffer) => FrameReading {
  const cursor = createFrameCursor(names);
  const readShape = createShapeReader();

  function readDecided(kind: number, flags: number, at: Millis): FrameReading {
    const isCall = kind === Frame.decided;
    const id = cursor.text("");
    const overlapOf = isCall ? cursor.text("") : undefined;
    const method = isCall ? undefined : cursor.text("method");
    const isUnread = !isCall && cursor.u8() === 1;
    const attempt = readAttempt(cursor);
    const listener = cursor.name();
    const decision = readDecision(cursor);
    const originalLength = cursor.u32();
    const bytes = cursor.octets(cursor.u32());
    const shape = attempt.signalling === "isup" ? noShape : readShape(bytes);
    const { signalling, transport, source, destination, callId, requestUri, isup, privacy } = attempt;
    const parties = isUnread ? undefined : attempt.parties;
    // In this order the line is written. JSON leaves out what is undefined.
    const fields = {
      time: formatLineTime(at),
      signalling,
      transport,
      source,
      destination,
      callId,
      requestUri,
      isup,
      calling: parties?.calling,
      called: parties?.called,
      diversion: parties?.diversion,
      fault: decision.fault,
      trunk: attempt.trunk,
      lessee: attempt.lessee,
      listener,
      tlsName: attempt.tlsName,
      privacy,
      displays: parties?.displays,
      bodies: some(shape.bodies.map((type) => cursor.clean(type, "bodies"))),
      agent: shape.agent === undefined ? undefined : cursor.clean(shape.agent, "agent"),
      codecs: shape.codecs === undefined ? undefined : cursor.clean(shape.codecs, "codecs"),
      fromHost: shape.fromHost === undefined ? undefined : cursor.clean(shape.fromHost, "fromHost"),
      marks: decision.marks,
      verdict: decision.verdict,
      reason: decision.reason,
      rule: decision.rule,
      mode: "enforce",
      shadow: decision.shadow,
      revision: decision.revision,
      action: decision.action,
      status: decision.status,
      cause: decision.cause,
      nextHop: decision.nextHop,
      why: decision.why,
      overlapOf,
      listLine: decision.listLine,
      contract: attempt.contract,
    } as const;
    const rawHex = cursor.rawHex();
    const line: DecidedLine | RequestLine = isCall
      ? { record: "decided", id: id ?? "", node, ...fields, rawHex }
      : { record: "request", method: method ?? "", id, node, ...fields, rawHex };
    const evidence =
      (flags & FrameFlag.evidence) === 0
        ? undefined
        : { origin: { signalling, transport, source, destination }, bytes, originalLength };
    return { at, line, evidence, isAwaited: (flags & FrameFlag.wait) !== 0 };
  }

  function readEnded(at: Millis): RecordLine {
    const id = cursor.text("") ?? "";
    const trunk = cursor.name() ?? "";
    const by = endedBys[cursor.u8()] ?? "filter";
    const how = howEndeds[cursor.u8()] ?? "lost";
    const status = optional(cursor.u16(), NONE_16);
    const cause = optional(cursor.u16(), NONE_16);
    const ringingMs = optional(cursor.u32(), NONE_32);
    const answeredMs = optional(cursor.u32(), NONE_32);
    const talked = cursor.f64();
    return {
      record: "ended",
      id,
      node,
      time: formatLineTime(at),
      trunk,
      lessee: lesseeOf(trunk),
      ringingMs,
      answeredMs,
      seconds: talked < 0 ? undefined : Math.round(talked) / 1000,
      by,
      how,
      ...(status === undefined ? {} : { status }),
      ...(cause === undefined ? {} : { cause }),
    };
  }

  return (frame) => {
    cursor.open(frame);
    const kind = cursor.u8();
    const flags = cursor.u8();
    const at = cursor.f64();
    if (kind === Frame.decided || kind === Frame.request) return readDecided(kind, flags, at);
    if (kind === Frame.gap) {
      const lost = { from: cursor.f64(), count: cursor.u32() };
      return { at, lost, line: undefined, evidence: undefined, isAwaited: false };
    }
    const line = kind === Frame.ended ? readEnded(at) : kind === Frame.moved ? readMoved(at) : readShed(at);
    return { at, line, evidence: undefined, isAwaited: (flags & FrameFlag.wait) !== 0 };
  };

  function readMoved(at: Millis): RecordLine {
    const id = cursor.text("") ?? "";
    const trunk = cursor.name() ?? "";
    const nextHop = cursor.name() ?? "";
    const why = movedWhys[cursor.u8()] ?? "unreached";
    return { record: "moved", id, node, time: formatLineTime(at), trunk, nextHop, why };
  }

  function readShed(at: Millis): RecordLine {
    const trunk = cursor.name() ?? "";
    const reason = readReason(cursor);
    const status = cursor.u16();
    const count = cursor.u32();
    const from = formatLineTime(cursor.f64());
    const of = cursor.u8() === 1 ? "requests" : undefined;
    const time = formatLineTime(at);
    return { record: "shed", node, time, trunk, reason, status, count, of, from, to: time };
  }
}

const noShape: MessageShape = { agent: undefined, codecs: undefined, fromHost: undefined, bodies: [] };

function optional(value: number, none: number): number | undefined {
  return value === none ? undefined : value;
}

/** An empty list is left out. */
function some<Item>(list: readonly Item[]): readonly Item[] | undefined {
  return list.length === 0 ? undefined : list;
}

interface ReadAttempt extends FrameEvidenceOrigin {
  readonly callId: string | undefined;
  readonly requestUri: string | undefined;
  readonly isup: SeizedCircuit | undefined;
  readonly privacy: readonly string[] | undefined;
  readonly trunk: string;
  readonly lessee: string | undefined;
  readonly contract: string | undefined;
  readonly tlsName: string | undefined;
  readonly parties: {
    readonly called: NumberLine;
    readonly calling: readonly IdentityLine[] | undefined;
    readonly diversion: readonly IdentityLine[] | undefined;
    readonly displays: readonly string[] | undefined;
  };
}
type FrameEvidenceOrigin = FrameEvidence["origin"];

function readAttempt(cursor: FrameCursor): ReadAttempt {
  const signalling = signallings[cursor.u8()] ?? "sip";
  const transport = transports[cursor.u8()] ?? "udp";
  const source = readEndpoint(cursor);
  const destination = readEndpoint(cursor);
  const trunk = cursor.name() ?? "";
  const lessee = cursor.name();
  const contract = cursor.name();
  const tlsName = cursor.name();
  const callId = cursor.text("callId");
  const requestUri = cursor.text("requestUri");
  const isup = cursor.u8() === 0 ? undefined : readCircuit(cursor);
  const bits = cursor.u8();
  const called = readNumber(cursor, "called");
  const displays = new Set<string>();
  const calling = readParties(cursor, "calling", displays);
  const diversion = readParties(cursor, "diversion", displays);
  return {
    signalling,
    transport,
    source,
    destination,
    callId: callId === "" ? undefined : callId,
    requestUri: requestUri === "" || isup !== undefined ? undefined : requestUri,
    isup,
    privacy: bits === 0 ? undefined : privacyNames.filter((_, bit) => (bits & (1 << bit)) !== 0),
    trunk,
    lessee,
    contract,
    tlsName,
    parties: { called, calling: some(calling), diversion: some(diversion), displays: some([...displays]) },
  };
}

function readEndpoint(cursor: FrameCursor): string | undefined {
  const address = cursor.text("") ?? "";
  const port = cursor.u16();
  return address === "" ? undefined : formatEndpoint({ address, port });
}

function readCircuit(cursor: FrameCursor): SeizedCircuit {
  const opc = cursor.u32();
  const dpc = cursor.u32();
  const cic = cursor.u32();
  const natureOfAddress = optional(cursor.u16(), NONE_16);
  return { opc, dpc, cic, natureOfAddress, screening: optional(cursor.u16(), NONE_16) };
}

function readParties(cursor: FrameCursor, field: string, displays: Set<string>): readonly IdentityLine[] {
  const parties: IdentityLine[] = [];
  const count = cursor.u8();
  for (let i = 0; i < count; i++) {
    const source = identitySources[cursor.u8()] ?? "from";
    const presentation = presentations[cursor.u8()] ?? "unavailable";
    const display = cursor.text("displays");
    if (display !== undefined && display !== "") displays.add(display);
    parties.push({ source, ...readNumber(cursor, `${field}[${i}].raw`), presentation });
  }
  return parties;
}

function readNumber(cursor: FrameCursor, field: string): NumberLine {
  const kind = cursor.u8();
  const why = kind === NumberKind.unusable ? unusableWhys[cursor.u8()] : undefined;
  const digits = kind === NumberKind.unusable ? undefined : cursor.text("");
  const raw = cursor.text(field) ?? "";
  return { raw, number: kind === NumberKind.e164 ? `+${digits}` : digits, why };
}

interface ReadDecision {
  readonly verdict: VerdictKind;
  readonly reason: ReasonCode;
  readonly rule: DecidedBy;
  readonly revision: string;
  readonly shadow: readonly ShadowLine[] | undefined;
  readonly marks: readonly MarkLine[] | undefined;
  readonly fault: string | undefined;
  readonly listLine: string | undefined;
  readonly action: DecidedLine["action"];
  readonly nextHop: string | undefined;
  readonly status: number | undefined;
  readonly cause: number | undefined;
  readonly why: string | undefined;
}

function readDecision(cursor: FrameCursor): ReadDecision {
  const verdict = readKind(cursor);
  const reason = readReason(cursor);
  const rule = readDecider(cursor);
  const revision = cursor.name() ?? "";
  const shadow: ShadowLine[] = [];
  for (let left = cursor.u8(); left > 0; left--)
    shadow.push({ rule: readRule(cursor), verdict: readKind(cursor), reason: readReason(cursor) });
  const marks: MarkLine[] = [];
  for (let left = cursor.u8(); left > 0; left--)
    marks.push({ verdict: readKind(cursor), reason: readReason(cursor) });
  const fault = cursor.text("fault");
  const listLine = cursor.text("");
  const action = actionKinds[cursor.u8()] ?? "silent";
  const nextHop = cursor.name();
  const status = optional(cursor.u16(), NONE_16);
  const cause = optional(cursor.u16(), NONE_16);
  const why = cursor.name();
  return {
    verdict,
    reason,
    rule,
    revision,
    shadow: some(shadow),
    marks: some(marks),
    fault,
    listLine,
    action,
    nextHop,
    status,
    cause,
    why,
  };
}

function readKind(cursor: FrameCursor): VerdictKind {
  return verdictKinds[cursor.u8()] ?? "reject";
}

function readReason(cursor: FrameCursor): ReasonCode {
  const name = cursor.name() ?? "";
  return isReasonCode(name) ? name : "rule-fault";
}

const rulesByName: ReadonlyMap<string, RuleId> = new Map(ruleIds.map((id) => [id, id]));

function readRule(cursor: FrameCursor): RuleId {
  return rulesByName.get(cursor.name() ?? "") ?? "emergency";
}

function readDecider(cursor: FrameCursor): DecidedBy {
  const name = cursor.name() ?? "";
  if (name === "default" || name === "protocol") return name;
  return rulesByName.get(name) ?? "exception";
}
