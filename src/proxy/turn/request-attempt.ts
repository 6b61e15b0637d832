import type { CallAttempt } from "../../domain/attempt.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { UriParts } from "../../sip/fields/name-addr.ts";
import { readFurtherIdentities } from "../../sip/attempt/request-identity.ts";
import { type RequestInHand, originOf } from "../../routing/request-in-hand.ts";
import type { Relay } from "./proxy-state.ts";
import { readCall } from "../../judging/sip-i-attempt.ts";

/**
 * The same as `attemptOf` for a request that begins no call. Nobody is exempt there for calling 110: the Request-URI of a dialog
 * is a Contact, which the peer writes as it likes, and a MESSAGE is no emergency call.
 */
export function requestAttempt(
  relay: Relay,
  trunk: Trunk,
  exchange: RequestInHand,
  uri?: UriParts,
): CallAttempt {
  const attempt = attemptOf(relay, trunk, exchange, uri);
  const further = readFurtherIdentities(relay.message, trunk.dialPlan);
  return {
    ...attempt,
    calling: further.length === 0 ? attempt.calling : [...attempt.calling, ...further],
    called: { kind: "unusable", why: "not-a-number", detail: "not a call", raw: attempt.requestUri },
    emergencyUrn: false,
  };
}

/** The attempt that the message in hand makes on `trunk`. */
export function attemptOf(relay: Relay, trunk: Trunk, exchange: RequestInHand, uri?: UriParts): CallAttempt {
  const { now } = relay;
  return readCall(relay.message, trunk, now, originOf(exchange), uri);
}
