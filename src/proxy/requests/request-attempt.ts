import type { CallAttempt } from "../../domain/attempt.ts";
import type { Trunk } from "../../domain/trunk.ts";
import type { UriParts } from "../../sip/fields/name-addr.ts";
import { readFurtherIdentities } from "../../sip/attempt/request-identity.ts";
import type { Exchange } from "../../routing/request-in-hand.ts";
import { attemptOf, type Relay } from "../turn/proxy-state.ts";

/**
 * The same as `attemptOf` for a request that begins no call. Nobody is exempt there for calling 110: the Request-URI of a dialog
 * is a Contact, which the peer writes as it likes, and a MESSAGE is no emergency call.
 */
export function requestAttempt(relay: Relay, trunk: Trunk, exchange: Exchange, uri?: UriParts): CallAttempt {
  const attempt = attemptOf(relay, trunk, exchange, uri);
  const further = readFurtherIdentities(relay.message, trunk.dialPlan);
  return {
    ...attempt,
    calling: further.length === 0 ? attempt.calling : [...attempt.calling, ...further],
    called: { kind: "unusable", why: "not-a-number", detail: "not a call", raw: attempt.requestUri },
    emergencyUrn: false,
  };
}
