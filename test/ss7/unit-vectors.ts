import type { Buffer } from "node:buffer";
import { createLinkPayload, type LinkPayload, readM2pa, readM2ua, readMtp2 } from "../../src/ss7/mtp-link.ts";
import { createM3uaMessage, isTransfer, readM3ua, readProtocolData } from "../../src/ss7/m3ua.ts";
import { eachAffected, kindOfM3ua } from "../../src/ss7/m3ua-kind.ts";
import {
  labelUnit,
  releaseComplete,
  type ReleaseLocation,
  releaseLocations,
  resetCircuit,
  sealUnit,
  writeError,
  writeRelease,
} from "../../src/ss7/m3ua-reply.ts";
import {
  carriesNoCalls,
  createMsu,
  isCallControl,
  type Msu,
  readCircuit,
  readMtp3,
} from "../../src/ss7/mtp3.ts";
import { type Findings, refuseVector, type Vector } from "../support/literate-vector.ts";
import { hexOf, octetsOf, quoteOctets } from "../support/vector-octets.ts";

/** The option of a vector, one of `choices`; the first of them where none is given. */
function chosen<Word extends string>(vector: Vector, choices: readonly [Word, ...Word[]]): Word {
  const [word = choices[0], more] = vector.options;
  const found = choices.find((choice) => choice === word);
  if (found === undefined || more !== undefined)
    return refuseVector(vector, `options are not one of ${choices.join(", ")}`);
  return found;
}

/** The keys of a routing label. */
function sayLabel({ opc, dpc, si, ni, sls, bytes, start, end }: Msu): [string, string][] {
  return [
    ["si", String(si)],
    ["ni", String(ni)],
    ["opc", String(opc)],
    ["dpc", String(dpc)],
    ["sls", String(sls)],
    ["user-part", quoteOctets(bytes, start, end)],
  ];
}

function say(value: number): string {
  return value < 0 ? "none" : String(value);
}

/** `m3ua`: one M3UA message. */
function readM3uaVector(vector: Vector): Findings {
  chosen(vector, [""]);
  const bytes = octetsOf(vector);
  const message = createM3uaMessage();
  const isSound = readM3ua(message, bytes, 0, bytes.length);
  if (isSound !== (message.fault === undefined)) return refuseVector(vector, "a fault without words");
  const findings = new Map([
    ["fault", message.fault ?? "none"],
    ["class", say(message.messageClass)],
    ["type", say(message.messageType)],
    ["kind", kindOfM3ua(bytes)],
    ["transfer", isTransfer(message) ? "yes" : "no"],
    ["network-appearance", say(message.networkAppearance)],
    ["routing-context", say(message.routingContext)],
    ["draft", message.isDraft ? "yes" : "no"],
    ["end", String(message.end)],
    ["data", message.dataStart < 0 ? "none" : quoteOctets(bytes, message.dataStart, message.dataEnd)],
  ]);
  const msu = createMsu();
  if (!readProtocolData(msu, message, bytes)) findings.set("label", "none");
  else for (const [key, value] of sayLabel(msu)) findings.set(key, value);
  let affected = 0;
  eachAffected(bytes, (code, anyBits) => {
    findings.set(
      `affected[${affected++}]`,
      anyBits === 0 ? String(code) : `${code}, low ${anyBits} bits any`,
    );
  });
  return findings;
}

/** `mtp3`: service information octet, routing label and user part. Options: bits of point codes, bits of the circuit. */
function readMtp3Vector(vector: Vector): Findings {
  const form = chosen(vector, ["14/12", "24/12", "24/14"]);
  const bytes = octetsOf(vector);
  const msu = createMsu();
  if (!readMtp3(msu, bytes, 0, bytes.length, form === "14/12" ? 4 : 7))
    return new Map([["fault", "unreadable"]]);
  const findings = new Map([["fault", "none"], ...sayLabel(msu)]);
  findings.set("user", isCallControl(msu) ? "calls" : carriesNoCalls(msu.si) ? "no calls" : "unknown");
  const type = readCircuit(msu, form === "24/14" ? 14 : 12);
  findings.set("cic", type < 0 ? "none" : String(msu.cic));
  findings.set("message", type < 0 ? "none" : quoteOctets(bytes, type, msu.end));
  return findings;
}

/** `mtp2`, `m2ua`, `m2pa`: a unit of a signalling link. */
function sayPayload(vector: Vector, read: (payload: LinkPayload, bytes: Buffer) => boolean): Findings {
  const bytes = octetsOf(vector);
  const payload = createLinkPayload();
  if (!read(payload, bytes))
    return new Map([
      ["fault", "none"],
      ["unit", "none"],
    ]);
  return new Map([
    ["fault", payload.isCut ? "cut" : "none"],
    ["unit", quoteOctets(bytes, payload.start, payload.end)],
  ]);
}

function readMtp2Vector(vector: Vector): Findings {
  const isExtended = chosen(vector, ["basic", "extended"]) === "extended";
  return sayPayload(vector, (payload, bytes) => readMtp2(payload, bytes, 0, bytes.length, isExtended));
}

function readM2uaVector(vector: Vector): Findings {
  chosen(vector, [""]);
  return sayPayload(vector, (payload, bytes) => readM2ua(payload, bytes, 0, bytes.length));
}

function readM2paVector(vector: Vector): Findings {
  chosen(vector, [""]);
  return sayPayload(vector, (payload, bytes) => readM2pa(payload, bytes, 0, bytes.length));
}

function isLocation(word: string): word is ReleaseLocation {
  return Object.hasOwn(releaseLocations, word);
}

/** `error`: a message, and the ERR about it. The option is the error code. */
function readErrorVector(vector: Vector): Findings {
  const reply = writeError(Number(chosen(vector, ["1", "3", "4"])), octetsOf(vector));
  const message = createM3uaMessage();
  if (!readM3ua(message, reply, 0, reply.length)) return refuseVector(vector, message.fault ?? "unreadable");
  const told = 20 + Math.min(octetsOf(vector).length, 40);
  return new Map([
    ["fault", "none"],
    ["kind", kindOfM3ua(reply)],
    ["error[header]", hexOf(reply.subarray(0, 8))],
    ["error[code]", hexOf(reply.subarray(8, 16))],
    ["error[diagnostic]", hexOf(reply.subarray(16, told))],
    ["error[padding]", hexOf(reply.subarray(told))],
  ]);
}

/**
 * `reply`: a DATA message, and what is written back. The option says what: `rel:CAUSE`, `rel:CAUSE:LOCATION`, `rlc`, or
 * `rsc` to the other end.
 */
function readReplyVector(vector: Vector): Findings {
  const [word = "", more] = vector.options;
  const [, cause, location] = /^rel:([0-9]{1,3})(?::([a-z-]+))?$/.exec(word) ?? [];
  if (more !== undefined || (cause === undefined && word !== "rlc" && word !== "rsc"))
    return refuseVector(vector, "options are not one of rel:CAUSE, rel:CAUSE:LOCATION, rlc, rsc");
  if (location !== undefined && !isLocation(location)) return refuseVector(vector, `no location ${location}`);
  const bytes = octetsOf(vector);
  const message = createM3uaMessage();
  const msu = createMsu();
  if (
    !readM3ua(message, bytes, 0, bytes.length) ||
    !readProtocolData(msu, message, bytes) ||
    readCircuit(msu) < 0
  )
    return refuseVector(vector, message.fault ?? "no circuit");
  const isup =
    cause === undefined
      ? word === "rlc"
        ? releaseComplete
        : resetCircuit
      : writeRelease(Number(cause), location);
  const reply = sealUnit(labelUnit(message, msu, word !== "rsc"), isup);
  return new Map([["fault", "none"], ...cutReply(reply)]);
}

/** The octets of a reply, cut at its parameters, and protocol data at its fields. */
function cutReply(reply: Buffer): [string, string][] {
  const said: [string, string][] = [["reply[header]", hexOf(reply.subarray(0, 8))]];
  let at = 8;
  for (; reply.readUInt16BE(at) !== 0x0210; at += reply.readUInt16BE(at + 2))
    said.push([
      `reply[parameter ${reply.readUInt16BE(at)}]`,
      hexOf(reply.subarray(at, at + reply.readUInt16BE(at + 2))),
    ]);
  const end = at + reply.readUInt16BE(at + 2);
  said.push(["reply[protocol data]", hexOf(reply.subarray(at, at + 4))]);
  said.push(["reply[label]", hexOf(reply.subarray(at + 4, at + 16))]);
  said.push(["reply[circuit and message]", hexOf(reply.subarray(at + 16, end))]);
  said.push(["reply[padding]", hexOf(reply.subarray(end))]);
  return said;
}

/** `m3ua`, `mtp3`, `mtp2`, `m2ua`, `m2pa`, `reply`, `error`. */
export const unitKinds = {
  m3ua: readM3uaVector,
  mtp3: readMtp3Vector,
  mtp2: readMtp2Vector,
  m2ua: readM2uaVector,
  m2pa: readM2paVector,
  reply: readReplyVector,
  error: readErrorVector,
} as const;
