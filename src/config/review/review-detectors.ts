// Reviews what the policy says of detectors and has no effect, or less than was meant.
import type { PolicyFile } from "../policy/policy-file.ts";
import type { TrunkPlan } from "../policy/build-policy.ts";
import { valueAt } from "../yaml/schema-issues.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";

/** Finds what follows from findings by the policy and does not happen. */
export function reviewDetectors(
  warn: (path: Path, message: string) => ConfigIssue,
  { source, detectors }: PolicyFile,
  plans: readonly TrunkPlan[],
): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  let isEnforced = false;
  for (const [id, { mode, quarantine, action }] of detectors) {
    const path = ["detectors", id];
    if (valueAt(source.value, path) === undefined) continue;
    for (const [key, value] of [
      ["quarantine", quarantine],
      ["action", action],
    ] as const) {
      if (value === undefined || mode === "enforce") continue;
      issues.push(
        warn(
          [...path, key],
          mode === "off"
            ? "has no effect: the detector is off"
            : "not in force yet: the mode is monitor; `mode: enforce` puts it in force",
        ),
      );
    }
    if (mode !== "enforce") continue;
    isEnforced = true;
    if (quarantine !== undefined && action !== undefined && action.for <= quarantine.for)
      issues.push(
        warn(
          [...path, "action"],
          "has no effect: the calls are refused for as long, so that none is left to mark",
        ),
      );
    if (quarantine?.subject === "trunk" && !plans.some(({ trunk }) => trunk.side === "lessee"))
      issues.push(
        warn(
          [...path, "quarantine", "subject"],
          "can never bind: only the trunk of a lessee is bound, and the policy has none",
        ),
      );
    if (action?.do === "withhold") issues.push(...reviewWithholding(warn, plans, [...path, "action", "do"]));
  }
  if (isEnforced) issues.push(...reviewRule(warn, plans));
  return issues;
}

function reviewWithholding(
  warn: (path: Path, message: string) => ConfigIssue,
  plans: readonly TrunkPlan[],
  path: Path,
): readonly ConfigIssue[] {
  const redirecting = plans.filter(({ trunk }) => trunk.side !== "core" && trunk.mode === "redirect");
  return redirecting.map(({ trunk }) =>
    warn(path, `trunk "${trunk.id}" redirects: a call whose number must be withheld is refused there`),
  );
}

/** Detectors enforce, and a trunk does not. */
function reviewRule(
  warn: (path: Path, message: string) => ConfigIssue,
  plans: readonly TrunkPlan[],
): readonly ConfigIssue[] {
  return plans.flatMap(({ entry, trunk, chain }) => {
    const { mode } = chain.quarantine;
    if (trunk.side === "core" || mode === "enforce") return [];
    return [
      warn([...entry.path, "id"], `rule quarantine is ${mode} on the trunk: what detectors bind passes here`),
    ];
  });
}
