// Makes record lines of the frames of the ring, in the records thread.
import type { Buffer } from "node:buffer";
import type { SignallingSource } from "../../domain/attempt.ts";
import { endedBys, howEndeds } from "../../domain/call.ts";
import { type DecidedBy, verdictKinds } from "../../domain/decision.ts";
import { identitySources } from "../../domain/identity.ts";
import { unusableWhys } from "../../domain/number.ts";
import { isReasonCode, type ReasonCode } from "../../domain/reason.ts";
import { type RuleId, ruleIds } from "../../domain/rule-id.ts";
import type { Millis } from "../../domain/time.ts";
import { formatEndpoint } from "../../net/endpoint.ts";
import { privacyNames } from "./event-frames.ts";
import { createFrameCursor, type FrameCursor } from "./frame-cursor.ts";
import {
  actionKinds,
  Frame,
  FrameFlag,
  nameSources,
  movedWhys,
  NONE_16,
  NONE_32,
  NumberKind,
  presentations,
  signallings,
  transports,
} from "./frame-layout.ts";
import { quoteText } from "./json-text.ts";
import { clampTime, formatLineTime } from "./line-time.ts";
import { createShapeReader, type MessageShape } from "./message-shape.ts";

// Lines are put together of texts: an object for each line, and JSON.stringify, cost as much as everything else together.
// `DecidedLine` and its neighbours in `record-line.ts` say what stands in a line; fields stand in their order there.
// Words out of tables need no escape.

/** A message that is to be kept as evidence. */
export interface FrameEvidence {
  /** Addresses are empty on a signalling link. */
  readonly origin: SignallingSource;
  /** At most 16 KiB of the message. A view: it stays until the next frame is read. */
  readonly bytes: Buffer;
  readonly originalLength: number;
}

/** What a line says of the life of a call that was forwarded. */
export type FrameLife =
  | { readonly kind: "begun"; readonly id: string; readonly trunk: string; readonly at: Millis }
  | { readonly kind: "ended"; readonly id: string };

/** What a frame says. */
export interface FrameReading {
  readonly at: Millis;
  /** `lost` events found no room; undefined: the frame has a line of its own. */
  readonly lost?: { readonly from: Millis; readonly count: number };
  /** JSON, without a line end. */
  readonly line: string | undefined;
  /** Undefined: the line begins and ends no call. */
  readonly life?: FrameLife | undefined;
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
  const ofNode = `,"node":${quoteText(node)}`;

  function readDecided(kind: number, flags: number, at: Millis): FrameReading {
    const isCall = kind === Frame.decided;
    const id = cursor.text("");
    const overlapOf = isCall ? cursor.json("") : undefined;
    const method = isCall ? undefined : cursor.json("method");
    const isUnread = !isCall && cursor.u8() === 1;
    const attempt = readAttempt(cursor);
    const listener = cursor.name();
    const decision = readDecision(cursor);
    const originalLength = cursor.u32();
    const bytes = cursor.octets(cursor.u32());
    const { origin, parties, trunk } = attempt;
    const shape = describeShape(cursor, origin.signalling === "isup" ? noShape : readShape(bytes));
    const rawHex = cursor.rawHex();
    const begin = isCall
      ? `{"record":"decided","id":${quoteText(id ?? "")}`
      : `{"record":"request","method":${method ?? '""'}${id === undefined ? "" : `,"id":${quoteText(id)}`}`;
    const line =
      `${begin}${ofNode},"time":"${formatLineTime(at)}"${attempt.place}${isUnread ? "" : parties.numbers}` +
      `${decision.fault},"trunk":${quoteText(trunk)}${named(',"lessee":', attempt.lessee)}` +
      `${named(',"listener":', listener)}${named(',"tlsName":', attempt.tlsName)}${attempt.privacy}${isUnread ? "" : parties.displays}${shape}` +
      `${decision.decided}${decision.done}${field(',"overlapOf":', overlapOf)}${decision.listLine}` +
      named(',"contract":', attempt.contract) +
      `${rawHex === undefined ? "" : `,"rawHex":${JSON.stringify(rawHex)}`}}`;
    const life = isCall && decision.isForwarded ? begunLife(id ?? "", trunk, at) : undefined;
    const evidence = (flags & FrameFlag.evidence) === 0 ? undefined : { origin, bytes, originalLength };
    return { at, line, life, evidence, isAwaited: (flags & FrameFlag.wait) !== 0 };
  }

  function readEnded(at: Millis): FrameReading {
    const id = cursor.text("") ?? "";
    const trunk = cursor.name() ?? "";
    const by = endedBys[cursor.u8()] ?? "filter";
    const how = howEndeds[cursor.u8()] ?? "lost";
    const status = numbered(',"status":', cursor.u16(), NONE_16);
    const cause = numbered(',"cause":', cursor.u16(), NONE_16);
    const ringing = numbered(',"ringingMs":', cursor.u32(), NONE_32);
    const answered = numbered(',"answeredMs":', cursor.u32(), NONE_32);
    const talked = cursor.f64();
    const seconds = talked < 0 ? "" : `,"seconds":${Math.round(talked) / 1000}`;
    const line =
      `{"record":"ended","id":${quoteText(id)}${ofNode},"time":"${formatLineTime(at)}","trunk":${quoteText(trunk)}` +
      `${named(',"lessee":', lesseeOf(trunk))}${ringing}${answered}${seconds},"by":"${by}","how":"${how}"${status}${cause}}`;
    return { at, line, life: { kind: "ended", id }, evidence: undefined, isAwaited: false };
  }

  return (frame) => {
    cursor.open(frame);
    const kind = cursor.u8();
    const flags = cursor.u8();
    const at = cursor.f64();
    if (kind === Frame.decided || kind === Frame.request) return readDecided(kind, flags, at);
    if (kind === Frame.ended) return readEnded(at);
    if (kind === Frame.gap) {
      const lost = { from: cursor.f64(), count: cursor.u32() };
      return { at, lost, line: undefined, evidence: undefined, isAwaited: false };
    }
    const line = kind === Frame.moved ? readMoved(at) : readShed(at);
    return { at, line, evidence: undefined, isAwaited: false };
  };

  function readMoved(at: Millis): string {
    const id = cursor.json("") ?? '""';
    const trunk = quoteText(cursor.name() ?? "");
    const hop = quoteText(cursor.name() ?? "");
    const why = movedWhys[cursor.u8()] ?? "unreached";
    const time = formatLineTime(at);
    return `{"record":"moved","id":${id}${ofNode},"time":"${time}","trunk":${trunk},"nextHop":${hop},"why":"${why}"}`;
  }

  function readShed(at: Millis): string {
    const trunk = quoteText(cursor.name() ?? "");
    const reason = readReason(cursor);
    const status = cursor.u16();
    const count = cursor.u32();
    const from = formatLineTime(cursor.f64());
    const of = cursor.u8() === 1 ? ',"of":"requests"' : "";
    const to = formatLineTime(at);
    return (
      `{"record":"shed"${ofNode},"time":"${to}","trunk":${trunk},"reason":"${reason}","status":${status}` +
      `,"count":${count}${of},"from":"${from}","to":"${to}"}`
    );
  }
}

const noShape: MessageShape = { agent: undefined, codecs: undefined, fromHost: undefined, bodies: [] };

// A key has its comma and its colon: `,"status":`. A field without a value is left out.

function field(key: string, json: string | undefined): string {
  return json === undefined ? "" : key + json;
}

function named(key: string, text: string | undefined): string {
  return text === undefined ? "" : key + quoteText(text);
}

function numbered(key: string, value: number, none: number): string {
  return value === none ? "" : key + value;
}

/** An empty list is left out. */
function listed(key: string, items: string): string {
  return items === "" ? "" : `${key}[${items}]`;
}

function joined(items: string, item: string): string {
  return items === "" ? item : `${items},${item}`;
}

function begunLife(id: string, trunk: string, at: Millis): FrameLife {
  return { kind: "begun", id, trunk, at: clampTime(at) };
}

function describeShape(cursor: FrameCursor, { bodies, agent, codecs, fromHost }: MessageShape): string {
  let types = "";
  for (const type of bodies) types = joined(types, quoteText(cursor.clean(type, "bodies")));
  return (
    listed(',"bodies":', types) +
    (agent === undefined ? "" : `,"agent":${quoteText(cursor.clean(agent, "agent"))}`) +
    (codecs === undefined ? "" : `,"codecs":${quoteText(cursor.clean(codecs, "codecs"))}`) +
    (fromHost === undefined ? "" : `,"fromHost":${quoteText(cursor.clean(fromHost, "fromHost"))}`)
  );
}

interface ReadAttempt {
  readonly origin: SignallingSource;
  /** From `signalling` to `isup`. */
  readonly place: string;
  readonly parties: {
    /** From `calling` to `names`. */
    readonly numbers: string;
    readonly displays: string;
  };
  readonly privacy: string;
  readonly trunk: string;
  readonly lessee: string | undefined;
  readonly contract: string | undefined;
  readonly tlsName: string | undefined;
}

function readAttempt(cursor: FrameCursor): ReadAttempt {
  const signalling = signallings[cursor.u8()] ?? "sip";
  const transport = transports[cursor.u8()] ?? "udp";
  const sourceAddress = cursor.text("") ?? "";
  const sourcePort = cursor.u16();
  const destinationAddress = cursor.text("") ?? "";
  const destinationPort = cursor.u16();
  const trunk = cursor.name() ?? "";
  const lessee = cursor.name();
  const contract = cursor.name();
  const tlsName = cursor.name();
  const callId = cursor.json("callId");
  const requestUri = cursor.json("requestUri");
  const isup = cursor.u8() === 0 ? undefined : readCircuit(cursor);
  const bits = cursor.u8();
  const called = readNumber(cursor, "called");
  const names: string[] = [];
  const calling = readParties(cursor, "calling", names);
  const diversion = readParties(cursor, "diversion", names);
  const shown = readShownNames(cursor);
  const place =
    `,"signalling":"${signalling}","transport":"${transport}"${endpoint(',"source":', sourceAddress, sourcePort)}` +
    endpoint(',"destination":', destinationAddress, destinationPort) +
    (callId === '""' ? "" : field(',"callId":', callId)) +
    (isup === undefined && requestUri !== '""' ? field(',"requestUri":', requestUri) : "") +
    field(',"isup":', isup);
  const numbers = `${listed(',"calling":', calling)},"called":{${called}}${listed(',"diversion":', diversion)}${listed(',"names":', shown)}`;
  return {
    origin: { signalling, transport, sourceAddress, sourcePort, destinationAddress, destinationPort },
    place,
    parties: { numbers, displays: names.length === 0 ? "" : `,"displays":[${names.join(",")}]` },
    privacy: bits === 0 ? "" : (privacies[bits] ??= describePrivacy(bits)),
    trunk,
    lessee,
    contract,
    tlsName,
  };
}

/** The field `privacy` by its bits. */
const privacies: (string | undefined)[] = [];

function describePrivacy(bits: number): string {
  return `,"privacy":${JSON.stringify(privacyNames.filter((_, bit) => (bits & (1 << bit)) !== 0))}`;
}

function endpoint(key: string, address: string, port: number): string {
  return address === "" ? "" : key + quoteText(formatEndpoint({ address, port }));
}

function readCircuit(cursor: FrameCursor): string {
  const opc = cursor.u32();
  const dpc = cursor.u32();
  const cic = cursor.u32();
  const nature = numbered(',"natureOfAddress":', cursor.u16(), NONE_16);
  const screening = numbered(',"screening":', cursor.u16(), NONE_16);
  return `{"opc":${opc},"dpc":${dpc},"cic":${cic}${nature}${screening}}`;
}

/** Reads parties as items of a list. `displays` takes their names as JSON, each once. */
function readParties(cursor: FrameCursor, list: string, displays: string[]): string {
  let parties = "";
  const count = cursor.u8();
  for (let i = 0; i < count; i++) {
    const source = identitySources[cursor.u8()] ?? "from";
    const presentation = presentations[cursor.u8()] ?? "unavailable";
    const display = cursor.json("displays");
    if (display !== undefined && display !== '""' && !displays.includes(display)) displays.push(display);
    const number = readNumber(cursor, `${list}[${i}].raw`);
    parties = joined(parties, `{"source":"${source}",${number},"presentation":"${presentation}"}`);
  }
  return parties;
}

/** Reads names that stand by themselves, as items of a list. */
function readShownNames(cursor: FrameCursor): string {
  let names = "";
  const count = cursor.u8();
  for (let i = 0; i < count; i++) {
    const source = nameSources[cursor.u8()] ?? "isup-generic-name";
    const presentation = presentations[cursor.u8()] ?? "unavailable";
    const raw = cursor.json(`names[${i}].raw`) ?? '""';
    names = joined(names, `{"source":"${source}","raw":${raw},"presentation":"${presentation}"}`);
  }
  return names;
}

/** Reads a number as fields, without braces. */
function readNumber(cursor: FrameCursor, name: string): string {
  const kind = cursor.u8();
  const why = kind === NumberKind.unusable ? unusableWhys[cursor.u8()] : undefined;
  const digits = kind === NumberKind.unusable ? undefined : cursor.json("");
  const raw = `"raw":${cursor.json(name) ?? '""'}`;
  if (digits === undefined) return why === undefined ? raw : `${raw},"why":"${why}"`;
  return `${raw},"number":${kind === NumberKind.e164 ? `"+${digits.slice(1)}` : digits}`;
}

interface ReadDecision {
  readonly fault: string;
  /** From `marks` to `revision`. */
  readonly decided: string;
  /** From `action` to `why`. */
  readonly done: string;
  readonly isForwarded: boolean;
  /** `listLine`, `finding` and `notice`. */
  readonly listLine: string;
}

function readDecision(cursor: FrameCursor): ReadDecision {
  const verdict = readKind(cursor);
  const reason = readReason(cursor);
  const rule = readDecider(cursor);
  const revision = cursor.name() ?? "";
  let shadow = "";
  for (let left = cursor.u8(); left > 0; left--)
    shadow = joined(
      shadow,
      `{"rule":"${readRule(cursor)}","verdict":"${readKind(cursor)}","reason":"${readReason(cursor)}"` +
        `${field(',"number":', cursor.json(""))}${field(',"listLine":', cursor.json(""))}}`,
    );
  let marks = "";
  for (let left = cursor.u8(); left > 0; left--)
    marks = joined(marks, `{"verdict":"${readKind(cursor)}","reason":"${readReason(cursor)}"}`);
  const fault = field(',"fault":', cursor.json("fault"));
  const ofRow = field(',"listLine":', cursor.json("")) + field(',"finding":', cursor.json(""));
  const listLine = ofRow + field(',"notice":', cursor.json(""));
  const action = actionKinds[cursor.u8()] ?? "silent";
  const nextHop = named(',"nextHop":', cursor.name());
  const status = numbered(',"status":', cursor.u16(), NONE_16);
  const cause = numbered(',"cause":', cursor.u16(), NONE_16);
  const why = named(',"why":', cursor.name());
  const decided =
    `${listed(',"marks":', marks)},"verdict":"${verdict}","reason":"${reason}","rule":"${rule}","mode":"enforce"` +
    `${listed(',"shadow":', shadow)},"revision":${quoteText(revision)}`;
  const done = `,"action":"${action}"${status}${cause}${nextHop}${why}`;
  return { fault, decided, done, isForwarded: action === "forwarded", listLine };
}

function readKind(cursor: FrameCursor): string {
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
