// The ids of the rules, in the order of their positions in the chain.

/**
 * The rules in the order in which they run. The order can't be configured. Limits come last: only calls that passed
 * every rule count against them.
 */
export const ruleIds = [
  "emergency",
  "line-state",
  "hidden-caller",
  "caller-form",
  "bodies",
  "cli-conflict",
  "display-name",
  "home-cli-from-abroad",
  "number-class",
  "diversion-licence",
  "deny-lists",
  "caller-authentication",
  "do-not-call",
  "marketing",
  "quarantine",
  "call-frequency",
  "call-rate",
  "channels",
] as const;

export type RuleId = (typeof ruleIds)[number];

/** `enforce`: the finding decides; `monitor`: it is counted in `shadow`; `off`: the rule does not run. */
export type RuleMode = "enforce" | "monitor" | "off";
