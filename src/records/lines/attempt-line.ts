// The line of one call attempt, which `inspect`, `replay` and the records share, as plain values for JSON.
import { formatEndpoint } from "../../net/endpoint.ts";
import { isUtf8 } from "node:buffer";
import type { CallAttempt, SeizedCircuit, SignallingSource } from "../../domain/attempt.ts";
import type { AssertedIdentity, IdentitySource, Presentation } from "../../domain/identity.ts";
import { formatNumber, type PartyNumber, type UnusableWhy } from "../../domain/number.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import type { RuleId } from "../../domain/rule-id.ts";
import type {
  DecidedBy,
  Decision,
  Facts,
  PolicyRevision,
  ShadowHit,
  VerdictKind,
} from "../../domain/decision.ts";
import { formatTime, type CaptureTime } from "../../pcap/timestamp.ts";

// A field that a protocol does not have is undefined; JSON leaves it out.

/** A number as received and as read; `why` says why it could not be read. */
export interface NumberLine {
  readonly raw: string;
  readonly number: string | undefined;
  readonly why: UnusableWhy | undefined;
}

/** One asserted caller or diverting party. */
export interface IdentityLine extends NumberLine {
  readonly source: IdentitySource;
  readonly presentation: Presentation;
}

/** What the filter decided about an attempt. */
export interface DecisionLine {
  readonly trunk: string | undefined;
  readonly lessee: string | undefined;
  readonly verdict: VerdictKind;
  readonly reason: ReasonCode;
  readonly rule: DecidedBy;
  readonly shadow: readonly ShadowLine[];
  /** Findings that did not refuse the call. Undefined when there are none. */
  readonly marks: readonly MarkLine[] | undefined;
  readonly revision: PolicyRevision;
}

/** A finding that did not refuse the call. */
export interface MarkLine {
  readonly verdict: VerdictKind;
  readonly reason: ReasonCode;
}

/** A finding of a rule in monitor mode. */
export interface ShadowLine {
  readonly rule: RuleId;
  readonly verdict: VerdictKind;
  readonly reason: ReasonCode;
  /** Whom the rule would have refused: the number of the party that it found, where it is one number. */
  readonly number?: string | undefined;
  /** `lists/police.csv:17`: the row that the rule found. */
  readonly listLine?: string | undefined;
}

/** One call attempt, as `inspect --json` and `replay --json` write it. */
export interface AttemptLine extends Partial<DecisionLine> {
  readonly frame: number;
  readonly time: string;
  readonly signalling: SignallingSource["signalling"];
  readonly transport: SignallingSource["transport"];
  readonly source: string | undefined;
  readonly destination: string | undefined;
  readonly callId: string | undefined;
  readonly requestUri: string | undefined;
  /** The circuit of an IAM. */
  readonly isup: SeizedCircuit | undefined;
  readonly calling: readonly IdentityLine[];
  readonly called: NumberLine;
  readonly diversion: readonly IdentityLine[];
  /** Number of the frame that this one repeats. */
  readonly retransmissionOf: number | undefined;
  /** What keeps the message from being judged safely, in words. */
  readonly fault: string | undefined;
}

/** A message that gives no attempt. */
export interface MalformedLine {
  readonly frame: number;
  readonly malformed: string;
}

/** Where in the capture an attempt was seen. */
export interface Sighting extends CaptureTime {
  readonly frame: number;
  readonly retransmissionOf: number | undefined;
  readonly fault: string | undefined;
}

/** Decodes text for people. Received bytes are kept as latin1; most of them are UTF-8. */
export function readable(text: string): string {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) < 0x80) continue;
    const bytes = Buffer.from(text, "latin1");
    return isUtf8(bytes) ? bytes.toString("utf8") : text;
  }
  return text;
}

function describeNumber(number: PartyNumber): NumberLine {
  const why = number.kind === "unusable" ? number.why : undefined;
  return { raw: readable(number.raw), number: formatNumber(number), why };
}

function describeIdentity({ source, number, presentation }: AssertedIdentity): IdentityLine {
  const { raw, number: formatted, why } = describeNumber(number);
  return { source, raw, number: formatted, why, presentation };
}

/** Describes an attempt, with the decision about it if there is one. */
export function describeAttempt(
  sighting: Sighting,
  attempt: CallAttempt,
  decision?: DecisionLine,
): AttemptLine {
  const { origin, circuit } = attempt;
  const isLink = origin.sourceAddress === "";
  return {
    frame: sighting.frame,
    time: formatTime(sighting),
    signalling: origin.signalling,
    transport: origin.transport,
    source: isLink ? undefined : formatEndpoint({ address: origin.sourceAddress, port: origin.sourcePort }),
    destination: isLink
      ? undefined
      : formatEndpoint({ address: origin.destinationAddress, port: origin.destinationPort }),
    callId: circuit === undefined ? readable(attempt.callId) : undefined,
    requestUri: circuit === undefined ? readable(attempt.requestUri) : undefined,
    isup: circuit,
    calling: attempt.calling.map(describeIdentity),
    called: describeNumber(attempt.called),
    diversion: attempt.diversion.map(describeIdentity),
    retransmissionOf: sighting.retransmissionOf,
    fault: sighting.fault,
    ...decision,
  };
}

/** Describes a decision, as the part of a line that tells it. */
export function describeDecision({
  attempt,
  verdict,
  rule,
  shadow,
  marks,
  revision,
}: Decision): DecisionLine {
  const { id, lessee } = attempt.trunk;
  return {
    trunk: id,
    lessee,
    verdict: verdict.kind,
    reason: verdict.reason,
    rule,
    shadow: shadow.map((hit) => describeShadow(attempt, hit)),
    marks: marks.length === 0 ? undefined : marks.map(({ kind, reason }) => ({ verdict: kind, reason })),
    revision,
  };
}

function describeShadow(attempt: CallAttempt, { rule, verdict }: ShadowHit): ShadowLine {
  const { facts, kind, reason } = verdict;
  const number = numberFound(attempt, facts);
  const listLine = facts?.["line"];
  return {
    rule,
    verdict: kind,
    reason,
    ...(number === undefined ? {} : { number }),
    ...(typeof listLine === "string" && rule !== "line-state" ? { listLine } : {}),
  };
}

/**
 * Finds the number of the party that a finding is about: that of the field which the rule names.
 * @returns undefined when the rule names none, and when the field holds several numbers
 */
export function numberFound(
  { calling, diversion }: CallAttempt,
  facts: Facts | undefined,
): string | undefined {
  const field = facts?.["field"];
  if (field === undefined) return undefined;
  let found: string | undefined;
  for (const parties of [calling, diversion])
    for (const { source, number } of parties) {
      if (source !== field) continue;
      const text = formatNumber(number);
      if (text === undefined || (found !== undefined && found !== text)) return undefined;
      found = text;
    }
  return found;
}
