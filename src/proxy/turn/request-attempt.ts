// The call attempt that the request of a turn makes.
import type { CallAttempt } from "../../domain/attempt.ts";
import { knownOf } from "../../judging/sip-calls.ts";
import { readCall } from "../../judging/sip-i-attempt.ts";
import { originOf } from "../../routing/request-in-hand.ts";
import { readFurtherIdentities } from "../../sip/attempt/request-identity.ts";
import type { TrunkTurn } from "./turn.ts";

/** Returns the attempt that an INVITE makes. */
export function attemptOf({ message, source, at, request, routes }: TrunkTurn): CallAttempt {
  return readCall(message, source.trunk, at, originOf(request), knownOf(request, routes));
}

/**
 * Returns the attempt of a request that begins no call. A call to 110 exempts nobody there, for two reasons. The
 * Request-URI of a dialog is a Contact, which the peer writes as it likes. A MESSAGE is no emergency call.
 */
export function requestAttempt(turn: TrunkTurn): CallAttempt {
  const attempt = attemptOf(turn);
  const further = readFurtherIdentities(turn.message, turn.source.trunk.dialPlan);
  return {
    ...attempt,
    calling: further.length === 0 ? attempt.calling : [...attempt.calling, ...further],
    called: { kind: "unusable", why: "not-a-number", detail: "not a call", raw: attempt.requestUri },
    emergencyUrn: false,
  };
}
