// Events and attempts of calls of other nodes, as far as those were told.
import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import type { CallDecided, CallEnded, CallRef } from "../domain/call.ts";
import type { AssertedIdentity } from "../domain/identity.ts";
import type { Mutable } from "../domain/mutable.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import { makesEmergencyParty } from "../screening/emergency-parties.ts";
import { AttemptFlag } from "./batch-layout.ts";
import type { ToldAttempt, ToldEnd } from "./batch-reading.ts";

const nowhere = {
  transport: "udp",
  sourceAddress: "",
  sourcePort: 0,
  destinationAddress: "",
  destinationPort: 0,
} as const;

const sipOrigin: SignallingSource = { ...nowhere, signalling: "sip" };
const isupOrigin: SignallingSource = { ...nowhere, signalling: "isup" };

const diverting: AssertedIdentity = {
  source: "diversion",
  number: { kind: "unusable", why: "invalid", detail: "not told", raw: "" },
  presentation: "allowed",
};

const noDiversion: readonly AssertedIdentity[] = [];

/** The attempt of a call that another node has let go on. `at`: on the wall clock. */
export function attemptOf(told: ToldAttempt, trunk: Trunk, at: Millis): CallAttempt {
  return {
    at,
    trunk,
    origin: (told.flags & AttemptFlag.isup) === 0 ? sipOrigin : isupOrigin,
    calling: told.calling,
    called: told.called,
    emergencyUrn: (told.flags & AttemptFlag.emergencyUrn) !== 0,
    diversion: told.diverting === 0 ? noDiversion : [diverting],
    privacy: 0,
    callId: told.callId,
    fromTag: told.fromTag,
    requestUri: "",
  };
}

const noMarks: CallDecided["decision"]["marks"] = [];
const noShadow: CallDecided["decision"]["shadow"] = [];
const accepted = { kind: "accept", reason: "default" } as const;
const forwarded = { kind: "forwarded", hop: "" } as const;
const notForwarded = { kind: "answered", status: 0 } as const;

/** @param flags bits of {@link AttemptFlag} */
export function decidedOf(flags: number, attempt: CallAttempt, call: CallRef): CallDecided {
  const isForwarded = (flags & AttemptFlag.forwarded) !== 0;
  return {
    kind: "decided",
    call,
    at: attempt.at,
    decision: {
      attempt,
      verdict: accepted,
      rule: makesEmergencyParty(attempt) ? "emergency" : "default",
      marks: noMarks,
      shadow: noShadow,
      revision: "",
    },
    action: isForwarded ? forwarded : notForwarded,
  };
}

export function endedOf(end: ToldEnd, call: CallRef, at: Millis): CallEnded {
  const { by, how, status, cause, ringingMs, answeredMs, talkedMs } = end;
  const ended: Mutable<CallEnded> = { kind: "ended", call, at, by, how };
  if (status !== 0) ended.status = status;
  if (cause !== undefined) ended.cause = cause;
  if (ringingMs !== undefined) ended.ringingMs = ringingMs;
  if (answeredMs !== undefined) ended.answeredMs = answeredMs;
  if (talkedMs !== undefined) ended.talkedMs = talkedMs;
  return ended;
}
