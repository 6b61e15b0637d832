import { Buffer } from "node:buffer";
import { nameOfField } from "../../src/sip/field-name.ts";
import { createSipFramer, type SipFramer } from "../../src/sip/framer.ts";
import { Header } from "../../src/sip/header.ts";
import { createMessage, headerValue, type SipMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { readStartLine } from "../../src/sip/start-line.ts";
import { type Findings, refuseVector, type Vector } from "../support/literate-vector.ts";
import { insideBase, quote, quoteSpan, textOf } from "../support/vector-octets.ts";

/** The names of the fields that the scanner knows, by id: `p-asserted-identity`. */
const knownNames: ReadonlyMap<number, string> = new Map(
  Object.entries(Header).map(([name, id]) => [
    id,
    name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  ]),
);

/** The keys of a start line. */
function sayStartLine(message: SipMessage, text: string): [string, string][] {
  const said: [string, string][] = [
    ["fault", message.fault ?? "none"],
    ["kind", message.kind],
  ];
  if (message.fault !== undefined) said.push(["answer", String(message.faultStatus)]);
  if (message.kind === "response") said.push(["status", String(message.status)]);
  if (message.kind === "request")
    said.push(["method", message.method], ["uri", quoteSpan(text, message.uriStart, message.uriEnd)]);
  return said;
}

/** `start-line`: one line, read by `readStartLine`. */
function readStartLineVector(vector: Vector): Findings {
  const text = textOf(vector);
  const message = createMessage();
  const end = readStartLine(message, Buffer.from(text, "latin1"), 0);
  if (end < 0)
    return new Map([
      ["fault", "not SIP"],
      ["kind", "other"],
    ]);
  if (end !== text.length) return refuseVector(vector, "more than a start line");
  return new Map(sayStartLine(message, text));
}

/** `message`: a whole datagram, read by `scan`. */
function readMessageVector(vector: Vector): Findings {
  return readDatagram(Buffer.from(textOf(vector), "latin1"), 0);
}

/** `fields`: header fields behind those of the page's base. */
function readFieldsVector(vector: Vector): Findings {
  const { bytes, offset } = insideBase(vector, "\r\n");
  return readDatagram(bytes, offset);
}

/** Positions count from `offset`. */
function readDatagram(bytes: Buffer, offset: number): Findings {
  const text = bytes.toString("latin1");
  const message = scan(createMessage(), bytes);
  const said = sayStartLine(message, text);
  said.push(["fields", String(message.headerCount)]);
  said.push(["max-forwards", message.maxForwards < 0 ? "none" : String(message.maxForwards)]);
  said.push(["sequence", message.cseq < 0 ? "none" : String(message.cseq)]);
  if (message.kind !== "other") {
    if (message.count[Header.cseq] !== 0)
      said.push(["sequence.method", quoteSpan(text, message.cseqMethodStart, message.cseqMethodEnd, offset)]);
    said.push(["start", `@${message.start - offset}`]);
    said.push(["body", quoteSpan(text, message.bodyStart, message.end, offset)]);
    said.push(["behind", quoteSpan(text, message.end, text.length, offset)]);
    said.push(...sayFields(message, text, offset));
  }
  return new Map(said);
}

/** One key a field: `via[0]`, or `other.subject[0]` for a field that the scanner doesn't know. */
function sayFields(message: SipMessage, text: string, offset: number): [string, string][] {
  const said: [string, string][] = [];
  const seen = new Map<string, number>();
  for (let i = 0; i < message.headerCount; i++) {
    const known = knownNames.get(message.ids[i]!);
    const name = known === "other" ? `other.${nameOfField(message, i)}` : (known ?? "no name");
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    said.push([`${name}[${nth}]`, quoteSpan(text, message.valueStart[i]!, message.valueEnd[i]!, offset)]);
    said.push([`${name}[${nth}].line`, `@${message.lineStart[i]! - offset}-${message.lineEnd[i]! - offset}`]);
    if (message.folded[i] === 1) said.push([`${name}[${nth}].unfolded`, quote(headerValue(message, i))]);
  }
  return said;
}

/** What the framer says of a stream that comes in these pieces. */
function frame(stream: Buffer, pieces: readonly Buffer[], options: readonly string[]): Findings {
  const framer = createSipFramer(options.includes("seek") ? "seek" : "start-line");
  const said: string[] = [];
  const faults: string[] = [];
  let at = 0;
  for (const piece of pieces) {
    framer.push(piece);
    at = takeEvents(framer, stream, at, options.includes("resync"), said, faults);
  }
  const findings = new Map([["fault", faults[0] ?? "none"]]);
  if (said.length === 0) findings.set("events", "none");
  for (const [i, event] of said.entries()) findings.set(`event[${i}]`, event);
  if (faults.length === 0) findings.set("kept", String(framer.rest().length));
  return findings;
}

/** Adds the events that are ready; returns where the last message ends. */
function takeEvents(
  framer: SipFramer,
  stream: Buffer,
  from: number,
  resyncs: boolean,
  said: string[],
  faults: string[],
): number {
  let at = from;
  for (let event = framer.next(); event !== undefined; event = framer.next()) {
    if (event.kind === "message") {
      const start = stream.indexOf(event.bytes, at);
      at = start + event.bytes.length;
      said.push(`message @${start}-${at}`);
    } else if (event.kind === "ping") said.push("ping");
    else {
      said.push(`fault: ${event.why}`);
      faults.push(event.why);
      if (resyncs) framer.resync();
    }
  }
  return at;
}

/**
 * `stream`: octets of a connection, cut by the framer. They come at once, then in two pieces cut at every position, then octet by
 * octet; the events must be the same.
 */
function readStreamVector(vector: Vector): Findings {
  const strange = vector.options.find((option) => option !== "resync" && option !== "seek");
  if (strange !== undefined) return refuseVector(vector, `no option of a stream: ${strange}`);
  const stream = Buffer.from(textOf(vector), "latin1");
  const whole = frame(stream, [stream], vector.options);
  const ways: [string, Buffer[]][] = [
    ["octet by octet", Array.from(stream, (octet) => Buffer.of(octet))],
    ...Array.from({ length: stream.length }, (_, cut): [string, Buffer[]] => [
      `cut at ${cut}`,
      [Buffer.from(stream.subarray(0, cut)), Buffer.from(stream.subarray(cut))],
    ]),
  ];
  for (const [way, pieces] of ways) {
    const found = [...frame(stream, pieces, vector.options)].join("; ");
    if (found !== [...whole].join("; ")) return refuseVector(vector, `${way}: ${found}`);
  }
  return whole;
}

/** `start-line`, `message`, `fields`, `stream`. */
export const messageKinds = {
  "start-line": readStartLineVector,
  message: readMessageVector,
  fields: readFieldsVector,
  stream: readStreamVector,
} as const;
