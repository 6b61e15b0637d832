// What a record line says of a SIP message beside its parties: agent, codecs, host of From, media types.
import type { Buffer } from "node:buffer";
import { readParts } from "../../sip/bodies/multipart.ts";
import { SDP } from "../../sip/bodies/body.ts";
import { nameOfField } from "../../sip/field-name.ts";
import { type MediaType, readMediaType, readTypeName } from "../../sip/fields/media-type.ts";
import { createAddressSpan, readAddress, readUri } from "../../sip/fields/name-addr.ts";
import { Header } from "../../sip/header.ts";
import { createMessage, headerValue, type SipMessage } from "../../sip/message.ts";
import { scan } from "../../sip/scan.ts";

/** Texts as received, octets kept as latin1; undefined where the message has none. */
export interface MessageShape {
  readonly agent: string | undefined;
  /** Codecs in the order of the offer: `PCMA,PCMU,telephone-event`. */
  readonly codecs: string | undefined;
  readonly fromHost: string | undefined;
  /** Media types of the body, or of its parts. */
  readonly bodies: readonly string[];
}

const MOST_BODIES = 16;
const MOST_CODECS = 32;
/** At most this many octets of an SDP body are read for codecs. */
const MOST_SDP = 8192;

/** At most this many offers are remembered, each of at most so many octets. */
const MOST_OFFERS = 256;
const LONGEST_OFFER = 2048;

/** The payload types that need no name in SDP (RFC 3551 section 6). */
const staticTypes: ReadonlyMap<string, string> = new Map([
  ["0", "PCMU"],
  ["3", "GSM"],
  ["4", "G723"],
  ["8", "PCMA"],
  ["9", "G722"],
  ["13", "CN"],
  ["15", "G728"],
  ["18", "G729"],
  ["26", "JPEG"],
  ["31", "H261"],
  ["34", "H263"],
]);

/** Makes a reader with memory of its own. It never throws, whatever the octets are. */
export function createShapeReader(): (bytes: Buffer) => MessageShape {
  const message = createMessage();
  const span = createAddressSpan();

  function hostOfFrom(): string | undefined {
    const index = message.first[Header.from] ?? -1;
    if (index < 0) return undefined;
    const value = headerValue(message, index);
    readAddress(value, 0, span);
    const { host } = readUri(value, span.uriStart, span.uriEnd);
    return host === "" ? undefined : host;
  }

  function agentOf(): string | undefined {
    for (let index = 0; index < message.headerCount; index++) {
      if (message.ids[index] !== Header.other || !isNamedAgent(message, index)) continue;
      const value = headerValue(message, index);
      return value === "" ? undefined : value;
    }
    return undefined;
  }

  return (bytes) => {
    scan(message, bytes);
    if (message.kind !== "request")
      return { agent: undefined, codecs: undefined, fromHost: undefined, bodies: [] };
    const [bodies, sdp] = readBodies(message);
    return {
      agent: agentOf(),
      codecs: sdp === undefined ? undefined : codecsOf(sdp),
      fromHost: hostOfFrom(),
      bodies,
    };
  };
}

const LOWER_A = 0x61;
const LOWER_M = 0x6d;
const LOWER_U = 0x75;
const BIT_OF_CASE = 0x20;

/** The name is read only of a field that begins like it: names are strings, and strings cost time. */
function isNamedAgent(message: SipMessage, index: number): boolean {
  const first = message.text.charCodeAt(message.lineStart[index]!) | BIT_OF_CASE;
  return first === LOWER_U && nameOfField(message, index) === "user-agent";
}

/** A Content-Type as it was read last: most messages have the same one. */
let lastValue = "";
let lastName: string | undefined;
let lastType: MediaType | undefined;

/** Returns the media types, and the first SDP body. */
function readBodies(message: SipMessage): readonly [types: readonly string[], sdp: string | undefined] {
  const { bytes, bodyStart, end } = message;
  const index = message.first[Header.contentType] ?? -1;
  if (index < 0 || bodyStart >= end) return [[], undefined];
  const value = headerValue(message, index);
  if (value !== lastValue) {
    lastValue = value;
    lastName = readTypeName(value);
    lastType = readMediaType(value);
  }
  if (lastType?.name.startsWith("multipart/") === true) {
    const parts = readParts(bytes, bodyStart, end, lastType);
    if (typeof parts !== "string") {
      const sdp = parts.find((part) => part.type.name === SDP);
      const names = parts.slice(0, MOST_BODIES).map((part) => part.type.name);
      return [names, sdp === undefined ? undefined : sdpText(bytes, sdp.start, sdp.end)];
    }
  }
  if (lastName === undefined) return [[], undefined];
  return [[lastName], lastName === SDP ? sdpText(bytes, bodyStart, end) : undefined];
}

function sdpText(bytes: Buffer, start: number, end: number): string {
  return bytes.toString("latin1", start, Math.min(end, start + MOST_SDP));
}

/** Codecs by what stands behind the address and the port of an offer: an exchange offers the same in every call. */
const offers = new Map<string, string | undefined>();

/** Reads the codecs as {@link readCodecs}, most of them out of memory. */
function codecsOf(sdp: string): string | undefined {
  const start = startOfFormats(sdp);
  if (start < 0 || sdp.length - start > LONGEST_OFFER) return readCodecs(sdp);
  const offer = sdp.slice(start);
  const known = offers.get(offer);
  if (known !== undefined) return known;
  const codecs = readCodecs(sdp);
  if (offers.size >= MOST_OFFERS) offers.clear();
  offers.set(offer, codecs);
  return codecs;
}

/**
 * Finds the first format of the first medium. Nothing that stands before it has a say in the codecs.
 *
 * @returns -1 where there is none, or where something has
 */
function startOfFormats(sdp: string): number {
  const medium = sdp.startsWith("m=") ? 0 : sdp.indexOf("\nm=") + 1;
  if (medium === 0 && !sdp.startsWith("m=")) return -1;
  const port = sdp.indexOf(" ", medium) + 1;
  const protocol = port === 0 ? 0 : sdp.indexOf(" ", port) + 1;
  const formats = protocol === 0 ? 0 : sdp.indexOf(" ", protocol) + 1;
  const lineEnd = sdp.indexOf("\n", medium);
  if (formats === 0 || (lineEnd >= 0 && formats > lineEnd)) return -1;
  const mapped = sdp.indexOf("a=rtpmap:");
  return mapped >= 0 && mapped < medium ? -1 : formats;
}

/** Reads the codecs of every medium: names of `a=rtpmap`, else those of static payload types (RFC 8866). */
function readCodecs(sdp: string): string | undefined {
  const offered: string[] = [];
  const named = new Map<string, string>();
  for (let at = 0; at < sdp.length;) {
    const lineEnd = sdp.indexOf("\n", at);
    const next = lineEnd < 0 ? sdp.length : lineEnd + 1;
    const type = sdp.charCodeAt(at);
    const line = type === LOWER_M || type === LOWER_A ? sdp.slice(at, next).trimEnd() : "";
    at = next;
    if (line.startsWith("m=")) offered.push(...line.split(" ").slice(3));
    else if (line.startsWith("a=rtpmap:")) {
      const space = line.indexOf(" ");
      const slash = line.indexOf("/", space);
      if (space > 0) named.set(line.slice(9, space), line.slice(space + 1, slash < 0 ? undefined : slash));
    }
  }
  const codecs = offered
    .slice(0, MOST_CODECS)
    .map((type) => named.get(type) ?? staticTypes.get(type) ?? type);
  return codecs.length === 0 ? undefined : [...new Set(codecs)].join(",");
}
