// Reviews what a trunk says about its requests and has no effect.
import type { TrunkPlan } from "../policy/build-policy.ts";
import { withholdsByScore } from "../policy/rule-setting.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";

/**
 * Finds keys about the requests of a trunk that have no effect, or that refuse more than was meant.
 */
export function reviewRequests(
  warn: (path: Path, message: string) => ConfigIssue,
  plan: TrunkPlan,
): readonly ConfigIssue[] {
  const { entry, trunk, chain } = plan;
  const { path, value } = entry;
  const issues: ConfigIssue[] = [];
  const tell = (key: string, message: string): void => {
    issues.push(warn([...path, key], message));
  };
  const written = [
    ["strip", value.strip !== undefined],
    ["stripVerstat", value.stripVerstat],
    ["label", value.label !== undefined],
  ] as const;
  for (const [key, isWritten] of written) {
    if (!isWritten) continue;
    if (trunk.side === "core") tell(key, "has no effect: calls from the core are forwarded unchanged");
    // The 302 of a redirecting trunk carries the label.
    else if (trunk.mode === "redirect" && key !== "label")
      tell(key, "has no effect: the calling side of a redirecting trunk sends the call itself");
  }
  if (trunk.side === "core" && trunk.mode === "redirect")
    tell("mode", "calls from the core are answered 302 with the target that they name themselves");
  const mayMessage = trunk.methods.carriage.get("MESSAGE") === "screen";
  const { messagesPerSecond } = trunk.limits;
  if (mayMessage && messagesPerSecond === undefined && trunk.side !== "core")
    tell("methods", "MESSAGE is carried without a limit; set limits.messagesPerSecond");
  if (!mayMessage && messagesPerSecond !== undefined)
    issues.push(warn([...path, "limits", "messagesPerSecond"], "has no effect: MESSAGE is refused"));
  const roaming = chain["home-cli-from-abroad"].options;
  const isWithheld =
    typeof roaming === "object" && roaming !== null && "roamers" in roaming && roaming.roamers === "withhold";
  if (trunk.mode === "redirect" && ((trunk.side === "international" && isWithheld) || withholdsByScore(plan)))
    tell("mode", "a call whose number must be withheld can't be redirected: it is refused");
  return issues;
}
