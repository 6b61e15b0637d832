// Builds call attempts out of record lines, and says what a record does not hold.
import { Buffer } from "node:buffer";
import {
  type CallAttempt,
  PrivacyFlag,
  type SeizedCircuit,
  type SignallingSource,
} from "../domain/attempt.ts";
import {
  type AssertedIdentity,
  identitySources,
  type Presentation,
  type ShownName,
} from "../domain/identity.ts";
import { type DialPlan, formatNumber, type PartyNumber, unusableWhys } from "../domain/number.ts";
import type { Mutable } from "../domain/mutable.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import { type Endpoint, parseEndpoint } from "../net/address.ts";
import { readCalledNumber, readIsupNumber, readListNumber, readSipNumber } from "../numbering/e164.ts";
import { nameSources, signallings, transports } from "../records/lines/frame-layout.ts";
import { type Fields, isFields, objectsIn, textIn, textsIn } from "../records/lines/line-fields.ts";
import { unusable } from "../numbering/interpretation.ts";

/** An attempt that was judged once, and what is not known of it. */
export interface RecordedAttempt {
  readonly attempt: CallAttempt;
  /** What rules may read and the record does not hold, in words. */
  readonly missing: readonly string[];
}

/**
 * Builds the attempt of a record line as a call of `trunk`, and says what the record does not hold.
 * See {@link readAttempt}.
 */
export function readRecordedAttempt(line: Fields, trunk: Trunk, at: Millis): RecordedAttempt {
  const attempt = readAttempt(line, trunk, at);
  const displays = textsIn(line["displays"]).length;
  const isDisplayOpen = displays > 0 && displays !== attempt.calling.length;
  return { attempt, missing: findMissing(line, attempt.origin, isDisplayOpen) };
}

/**
 * Builds the attempt of a record line as a call of `trunk`. Numbers are read again out of what the message said; where
 * that gives another number than the record has, the number of the record holds. Never throws.
 *
 * @param trunk the trunk of the policy that the attempt is judged by
 * @param at when it was received, or the moment at which it is judged. Unix milliseconds
 * @param endpointOf reads an endpoint; who reads many lines may remember endpoints
 */
export function readAttempt(
  line: Fields,
  trunk: Trunk,
  at: Millis,
  endpointOf: (text: string) => Endpoint | undefined = parseEndpoint,
): CallAttempt {
  const circuit = readCircuit(line["isup"]);
  const callingParties = objectsIn(line["calling"]);
  const displays = textsIn(line["displays"]);
  const hasDisplays = displays.length === callingParties.length;
  const names = objectsIn(line["names"]).flatMap(readName);
  const requestUri = asReceived(textIn(line["requestUri"]));
  const origin = readOrigin(line, endpointOf);
  const fault = textIn(line["fault"]);
  const attempt: Mutable<CallAttempt> = {
    at,
    trunk,
    origin,
    calling: callingParties.map((party, index) =>
      readIdentity(party, trunk.dialPlan, circuit, hasDisplays ? displays[index] : undefined),
    ),
    called: readCalled(line["called"], requestUri, trunk.dialPlan),
    emergencyUrn: requestUri.toLowerCase().startsWith("urn:service:sos"),
    diversion: objectsIn(line["diversion"]).map((party) =>
      readIdentity(party, trunk.dialPlan, undefined, undefined),
    ),
    privacy: readPrivacy(textsIn(line["privacy"])),
    callId: asReceived(textIn(line["callId"])),
    fromTag: "",
    requestUri,
  };
  if (names.length > 0) attempt.names = names;
  if (circuit !== undefined) attempt.circuit = circuit;
  if (origin.signalling === "isup") attempt.isIam = true;
  if (fault !== "" && line["reason"] === "isup-undecodable") attempt.undecodable = fault;
  return attempt;
}

/** What a record never holds, or does not hold of this call. */
function findMissing(
  line: Fields,
  { signalling }: SignallingSource,
  isDisplayOpen: boolean,
): readonly string[] {
  return [
    "how many calls there were at that moment (limits, channels): the limits are judged as if unused",
    ...(signalling === "isup" ? [] : ["bodies that may name a caller: the record has their types alone"]),
    "the category of the caller (operator, police, test)",
    ...(isDisplayOpen ? ["which display name belongs to which identity"] : []),
    ...(line["rawHex"] === undefined ? [] : ["text that was no UTF-8, but in rawHex"]),
  ];
}

function readIdentity(
  party: Fields,
  plan: DialPlan,
  circuit: SeizedCircuit | undefined,
  display: string | undefined,
): AssertedIdentity {
  const source = identitySources.find((name) => name === party["source"]) ?? "from";
  const presentation = readPresentation(party["presentation"]);
  const raw = asReceived(textIn(party["raw"]));
  const nature = source === "isup-calling-party" ? circuit?.natureOfAddress : undefined;
  const reread = source.startsWith("isup-")
    ? nature === undefined
      ? undefined
      : readIsupNumber(
          { digits: raw, nature, plan: 1, incomplete: false, presentation: presentationCode[presentation] },
          plan,
        )
    : readSipNumber(raw, plan);
  const screening = source === "isup-calling-party" ? circuit?.screening : undefined;
  const identity: Mutable<AssertedIdentity> = { source, number: settle(reread, party, raw), presentation };
  if (screening === 0 || screening === 1 || screening === 2 || screening === 3)
    identity.screening = screening;
  if (display !== undefined && display !== "") identity.display = asReceived(display);
  return identity;
}

function readName(name: Fields): readonly ShownName[] {
  const source = nameSources.find((known) => known === name["source"]);
  const display = asReceived(textIn(name["raw"]));
  if (source === undefined || display === "") return [];
  return [{ source, display, presentation: readPresentation(name["presentation"]) }];
}

const presentationCode: Readonly<Record<Presentation, number>> = {
  allowed: 0,
  restricted: 1,
  unavailable: 2,
};

function readPresentation(value: unknown): Presentation {
  return value === "restricted" || value === "unavailable" ? value : "allowed";
}

function readCalled(value: unknown, requestUri: string, plan: DialPlan): PartyNumber {
  const party = isFields(value) ? value : {};
  const raw = asReceived(textIn(party["raw"]));
  const at = requestUri.indexOf("@");
  const parameters = requestUri.indexOf(";", Math.max(at, 0));
  return settle(readCalledNumber(raw, plan, parameters < 0 ? "" : requestUri.slice(parameters)), party, raw);
}

/** Takes the number that was read again, unless the record has another one. */
function settle(reread: PartyNumber | undefined, party: Fields, raw: string): PartyNumber {
  const recorded = textIn(party["number"]);
  if (reread !== undefined && (formatNumber(reread) ?? "") === recorded) return reread;
  const number = recorded === "" ? "" : readListNumber(recorded);
  if (typeof number !== "string") return { ...number, raw };
  const why = unusableWhys.find((name) => name === party["why"]) ?? "invalid";
  return unusable(why, `as recorded: ${why}`, raw);
}

function readPrivacy(values: readonly string[]): number {
  let bits = 0;
  if (values.length > 0)
    for (const [name, bit] of Object.entries(PrivacyFlag)) if (values.includes(name)) bits |= bit;
  return bits;
}

function readOrigin(line: Fields, endpointOf: (text: string) => Endpoint | undefined): SignallingSource {
  const source = endpointOf(textIn(line["source"]));
  const destination = endpointOf(textIn(line["destination"]));
  return {
    signalling: signallings.find((name) => name === line["signalling"]) ?? "sip",
    transport: transports.find((name) => name === line["transport"]) ?? "udp",
    sourceAddress: source?.address ?? "",
    sourcePort: source?.port ?? 0,
    destinationAddress: destination?.address ?? "",
    destinationPort: destination?.port ?? 0,
  };
}

function readCircuit(value: unknown): SeizedCircuit | undefined {
  if (!isFields(value)) return undefined;
  const number = (name: string): number | undefined => {
    const field = value[name];
    return typeof field === "number" ? field : undefined;
  };
  const [opc, dpc, cic] = [number("opc"), number("dpc"), number("cic")];
  if (opc === undefined || dpc === undefined || cic === undefined) return undefined;
  return { opc, dpc, cic, natureOfAddress: number("natureOfAddress"), screening: number("screening") };
}

/** Attempts hold text as received octets, one character each; records hold it as people read it. */
function asReceived(text: string): string {
  // Nearly every text is ASCII, and the same in both.
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7e) return fromUtf8(text);
  return text;
}

function fromUtf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
