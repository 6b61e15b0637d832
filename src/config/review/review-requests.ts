import type { TrunkPlan } from "../policy/build-policy.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";

/** Finds what a trunk says about its requests, beside its calls, and what nothing will come of. */
export function reviewRequests(
  warn: (path: Path, message: string) => ConfigIssue,
  { entry: { path, value }, trunk, chain }: TrunkPlan,
): readonly ConfigIssue[] {
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
    if (trunk.side === "core") tell(key, "has no effect: calls from the core go on as they came");
    // A label is told in the 302.
    else if (trunk.mode === "redirect" && key !== "label")
      tell(key, "has no effect: a redirecting trunk sends its calls on by itself");
  }
  if (trunk.side === "core" && trunk.mode === "redirect")
    tell("mode", "calls from the core go where they ask to, and are answered 302 with that");
  const mayMessage = trunk.methods.carriage.get("MESSAGE") === "screen";
  const { messagesPerSecond } = trunk.limits;
  if (mayMessage && messagesPerSecond === undefined && trunk.side !== "core")
    tell("methods", "MESSAGE is carried without a limit; set limits.messagesPerSecond");
  if (!mayMessage && messagesPerSecond !== undefined)
    issues.push(warn([...path, "limits", "messagesPerSecond"], "has no effect: MESSAGE is refused"));
  const roaming = chain["home-cli-from-abroad"].options;
  const isWithheld =
    typeof roaming === "object" && roaming !== null && "roamers" in roaming && roaming.roamers === "withhold";
  if (trunk.mode === "redirect" && trunk.side === "international" && isWithheld)
    tell("mode", "a call whose number is to be withheld can't be redirected: it is refused");
  return issues;
}
