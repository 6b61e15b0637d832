import type { ReasonCode } from "../../domain/reason.ts";
import type { DecidedBy, VerdictKind } from "../../domain/decision.ts";
import { rules } from "./rule-order.ts";
import type { Screen } from "./screen.ts";

/** A decision that calls of a trunk may meet, or a finding of a rule in monitor mode. */
export interface PossibleDecision {
  readonly verdict: VerdictKind;
  readonly reason: ReasonCode;
  readonly rule: DecidedBy;
  readonly isMonitored: boolean;
}

/** What is refused before any rule is asked. */
const unasked: readonly ReasonCode[] = [
  "message-malformed",
  "isup-undecodable",
  "routing-refused",
  "overload",
];

/**
 * The decisions that a trunk's chain may come to: its end, every reason of every rule that runs there, and what needs no rule. A rule
 * that marks or drops by option stands here with its refusal.
 */
export function possibleDecisions({ steps, end, tables: { trunk } }: Screen): readonly PossibleDecision[] {
  const found: PossibleDecision[] = [
    { verdict: end.kind, reason: end.reason, rule: "default", isMonitored: false },
    { verdict: trunk.exception, reason: "rule-fault", rule: "exception", isMonitored: false },
  ];
  for (const reason of unasked)
    found.push({ verdict: "reject", reason, rule: "protocol", isMonitored: false });
  for (const { id, stage, mode, check } of steps) {
    const isMonitored = mode === "monitor";
    // An exemption in monitor mode is no finding.
    if (check === undefined || mode === "off" || (stage === "exempt" && isMonitored)) continue;
    const verdict = stage === "exempt" ? "accept" : "reject";
    for (const reason of rules.find((rule) => rule.id === id)?.reasons ?? [])
      found.push({ verdict, reason, rule: id, isMonitored });
  }
  return found;
}
