// Shows an IAM to the judge, a live one or one of a capture.
import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import type { AssertedIdentity } from "../domain/identity.ts";
import type { Millis } from "../domain/time.ts";
import { readIsupCalledNumber, type IsupCalledNumber } from "../numbering/e164.ts";
import { isEmergencyCall } from "../screening/emergency-call.ts";
import { readIsupAttempt } from "../ss7/isup-attempt.ts";
import { countsDoubtful, readParties, type IsupParties } from "../ss7/isup-identity.ts";
import { readCalled } from "../ss7/isup-number.ts";
import type { IsupMessage } from "../ss7/isup.ts";
import type { Msu } from "../ss7/mtp3.ts";
import { bareAttempt } from "./bare-attempt.ts";
import type { CallReader, CallToJudge } from "./call-reader.ts";

/** A message of ISUP about a call. */
export interface IsupCall extends CallToJudge {
  readonly msu: Msu;
  /** The message, read; it may be unreadable. */
  readonly isup: IsupMessage;
  readonly origin: SignallingSource;
  /** The segmentation message that follows an IAM, or in words why there is none that could be read. */
  readonly segment?: IsupMessage | string | undefined;
}

export const isupCalls: CallReader<IsupCall> = {
  nameOf: ({ msu, isup }) => `${msu.cic} ${calledOf(isup)?.digits ?? ""}`,
  isEmergency: isEmergencyIam,
  attemptOf(call) {
    const { isup, msu, source, origin, at, segment } = call;
    const attempt = isup.fault ?? readIsupAttempt(isup, msu, source.trunk, at, origin);
    if (typeof attempt === "string") return bareIsupAttempt(call, attempt);
    const more = segment === undefined ? undefined : readSegment(call, segment);
    if (more === undefined) return attempt;
    return typeof more === "string" ? bareIsupAttempt(call, `segment: ${more}`) : join(attempt, more, at);
  },
  protocolAnswer: () => undefined,
  // Calls of the core are trusted.
  unjudgeable: ({ source }, { undecodable }) =>
    undecodable === undefined || source.trunk.side === "core"
      ? undefined
      : { kind: "reject", reason: "isup-undecodable", facts: { fault: undecodable } },
};

/** Tells whether an IAM calls an emergency service. False for an unreadable one. */
export function isEmergencyIam({ isup, source }: Pick<IsupCall, "isup" | "source">): boolean {
  const called = calledOf(isup);
  if (called === undefined) return false;
  return isEmergencyCall({
    called: readIsupCalledNumber(called, source.trunk.dialPlan),
    emergencyUrn: false,
  });
}

function calledOf(isup: IsupMessage): IsupCalledNumber | undefined {
  if (isup.fault !== undefined) return undefined;
  const called = readCalled(isup.bytes, isup.variableStart, isup.variableEnd);
  return typeof called === "string" ? undefined : called;
}

function readSegment({ source }: IsupCall, segment: IsupMessage | string): IsupParties | string {
  if (typeof segment === "string") return segment;
  return segment.fault ?? readParties(segment, source.trunk.dialPlan, countsDoubtful(source.trunk));
}

const contradicted: AssertedIdentity = {
  source: "isup-redirecting-number",
  number: {
    kind: "unusable",
    why: "invalid",
    detail: "two messages name different diverting parties",
    raw: "",
  },
  presentation: "allowed",
};

/** Joins the parties of a later message to those of the IAM. Every party that is named counts as asserted. */
export function join(attempt: CallAttempt, parties: IsupParties, at: Millis): CallAttempt {
  const { calling, diversion } = parties;
  const isTwice = diversion.length > 0 && attempt.diversion.length > 0;
  const names = [...(attempt.names ?? []), ...parties.names];
  return {
    ...attempt,
    at,
    calling: [...attempt.calling, ...calling],
    ...(names.length === 0 ? {} : { names }),
    diversion: [...(isTwice ? [contradicted] : []), ...diversion, ...attempt.diversion],
  };
}

/** An attempt of which nothing but the circuit is known; `undecodable` says in words why. */
export function bareIsupAttempt({ msu, source, at, origin }: IsupCall, undecodable?: string): CallAttempt {
  const attempt: CallAttempt = {
    ...bareAttempt(source.trunk, at, origin),
    circuit: { opc: msu.opc, dpc: msu.dpc, cic: msu.cic, natureOfAddress: undefined, screening: undefined },
  };
  return undecodable === undefined ? attempt : { ...attempt, undecodable };
}
