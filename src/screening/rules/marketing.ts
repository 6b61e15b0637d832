// The rule marketing: from platform numbers only, and not in rest hours of the called area.
import { z } from "zod";
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Deny } from "../../domain/decision.ts";
import type { AssertedIdentity } from "../../domain/identity.ts";
import { formatNumber } from "../../domain/number.ts";
import { createRestClock, type RestClock } from "../../hours/rest-hours.ts";
import { areaOf } from "../../numbering/areas/area-of.ts";
import { isEmergencyCall } from "../emergency-call.ts";
import { isToEmergencyParty } from "../emergency-parties.ts";
import { describeIdentity, isCounted } from "../identities.ts";
import type { MarketingPolicy, ScreenRule } from "../rule.ts";
import { exemptionOf, sayExemption } from "./marketing-exemptions.ts";

const optionsSchema = z.strictObject({});

/** The trunks of a policy share one clock, which works out each day once. */
const clocks = new WeakMap<MarketingPolicy, RestClock>();

function clockOf(policy: MarketingPolicy): RestClock {
  let clock = clocks.get(policy);
  if (clock === undefined) clocks.set(policy, (clock = createRestClock(policy.rest)));
  return clock;
}

/** Returns the first counted caller that is no platform number. A caller without number is a matter of other rules. */
function findStranger(
  attempt: CallAttempt,
  { platformNumbers }: MarketingPolicy,
): AssertedIdentity | undefined {
  /** Nearly every call asserts one number in several fields: it is looked up once. */
  let known: number | undefined;
  for (const identity of attempt.calling) {
    const { number } = identity;
    if (number.kind === "unusable" || number.key === known || !isCounted(attempt, identity)) continue;
    if (platformNumbers.find(number.key, attempt.at) < 0) return identity;
    known = number.key;
  }
  return undefined;
}

export const marketing: ScreenRule<z.infer<typeof optionsSchema>> = {
  id: "marketing",
  stage: "screen",
  summary:
    "Marketing calls from platform numbers only, and not in the rest hours of the called area, unless the called number has called the lessee.",
  reasons: ["marketing-hours", "marketing-number"],
  options: optionsSchema,
  compile(_options, { marketing: ofLessee }) {
    if (ofLessee === undefined) return undefined;
    const { policy } = ofLessee;
    const clock = clockOf(policy);
    return (attempt, state): Deny | undefined => {
      const stranger = findStranger(attempt, policy);
      if (stranger !== undefined)
        return isEmergencyCall(attempt) || isToEmergencyParty(attempt, state)
          ? undefined
          : { kind: "reject", reason: "marketing-number", facts: { field: stranger.source } };
      const area = areaOf(attempt.called);
      const rest = clock.restAt(policy.areas[area] ?? 0, attempt.at);
      if (rest === undefined || exemptionOf(attempt, state, ofLessee) !== undefined) return undefined;
      const facts = { hours: rest.written, area: area === 0 ? "none" : String(area) };
      return { kind: "reject", reason: "marketing-hours", facts };
    };
  },
  explain({ attempt, state, tables: { marketing: ofLessee } }, finding) {
    if (ofLessee === undefined) return { saw: "the calls of this trunk are no marketing" };
    const { policy } = ofLessee;
    const stranger = findStranger(attempt, policy);
    const clock = clockOf(policy);
    const area = areaOf(attempt.called);
    const rest = clock.restAt(policy.areas[area] ?? 0, attempt.at);
    const day = clock.isRestDay(attempt.at) ? "a rest day" : "a day of work";
    const time = `${clock.say(attempt.at)} on ${day} in ${policy.rest.timeZone}`;
    const place = area === 0 ? "no area" : `area ${area}`;
    const called = formatNumber(attempt.called) ?? JSON.stringify(attempt.called.raw);
    const numbers =
      stranger === undefined ? "" : `${describeIdentity(stranger)} is none of ${policy.platformsWritten}; `;
    const hours = `called ${called} of ${place}, ${time}: ${rest === undefined ? "no rest hours" : `rest hours ${rest.written}`}`;
    const saw = `${numbers}${hours}`;
    if (finding === undefined)
      return {
        saw:
          stranger === undefined && rest === undefined
            ? saw
            : `${saw}${sayExemption(attempt, state, ofLessee)}`,
      };
    const changes = [
      ...(stranger === undefined ? [] : [`call from one of ${policy.platformsWritten}`]),
      ...(rest === undefined ? [] : [`call outside of ${rest.written}`]),
    ];
    return {
      saw,
      change: `${changes.join(", and ")}, or set marketing: false on lessee ${ofLessee.lessee} if its calls are none`,
    };
  },
};
