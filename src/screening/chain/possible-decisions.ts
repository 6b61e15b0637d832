// Lists the decisions that the calls of a trunk may get, for counters and documentation.
import type { ReasonCode } from "../../domain/reason.ts";
import type { AnnouncedDecision } from "../../observe/counters.ts";
import { rules } from "./rule-order.ts";
import type { Screen } from "./screen.ts";

/** The reasons of refusals that come before any rule is asked. */
const unasked: readonly ReasonCode[] = [
  "message-malformed",
  "isup-undecodable",
  "routing-refused",
  "overload",
];

/**
 * Returns the decisions that a trunk's chain may come to: its end, every reason of every rule that
 * runs, and the refusals before the rules. A rule that marks or drops by option is listed with its
 * refusal.
 */
export function possibleDecisions({ steps, end, tables: { trunk } }: Screen): readonly AnnouncedDecision[] {
  const found: AnnouncedDecision[] = [
    { verdict: end.kind, reason: end.reason, rule: "default", isMonitored: false },
    { verdict: trunk.exception, reason: "rule-fault", rule: "exception", isMonitored: false },
  ];
  for (const reason of unasked)
    found.push({ verdict: "reject", reason, rule: "protocol", isMonitored: false });
  for (const { id, stage, mode, check, exemption, mayNote } of steps) {
    const isMonitored = mode === "monitor";
    // An exemption in monitor mode is no finding.
    if (check === undefined || mode === "off" || (stage === "exempt" && isMonitored)) continue;
    const rule = rules.find((candidate) => candidate.id === id);
    for (const reason of rule?.reasons ?? []) {
      if (rule?.markReasons?.includes(reason) === true) {
        // A mark is no verdict. Only a rule in monitor mode counts it.
        if (isMonitored) found.push({ verdict: "observe", reason, rule: id, isMonitored });
        continue;
      }
      const limit = exemption?.reason === reason ? exemption : undefined;
      const verdict = stage === "exempt" && limit === undefined ? "accept" : "reject";
      found.push({ verdict, reason, rule: id, isMonitored: isMonitored || limit?.enforced === false });
      if (mayNote && !isMonitored) found.push({ verdict, reason, rule: id, isMonitored: true });
    }
  }
  return found;
}
