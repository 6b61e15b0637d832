// Reviews what a trunk says of SS7: keys that no engine reads, and point codes that contradict each other.
import type { TrunkPlan } from "../policy/build-policy.ts";
import { readPointCode } from "../policy/keys/point-code.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";

/**
 * Reviews the SS7 keys of a trunk.
 * @param isSip the engine carries SIP, which has no routing labels
 */
export function reviewSs7(
  warn: (path: Path, message: string) => ConfigIssue,
  { entry: { path, value }, trunk }: TrunkPlan,
  isSip: boolean,
): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const { opc, dpc, cic, ni, networkAppearance } = value.match;
  if (isSip && (opc ?? dpc ?? cic ?? ni ?? networkAppearance) !== undefined) {
    const what = (opc ?? dpc) === undefined ? "keys of SS7" : "point codes";
    issues.push(
      warn([...path, "match"], `has ${what}, which no SIP message matches, and the engine carries SIP`),
    );
  }
  if (value.ss7 === undefined) return issues;
  if (isSip) issues.push(warn([...path, "ss7"], "has no effect: the engine carries SIP"));
  const allowed = trunk.ss7.originatingPointCodes;
  const lacking = (opc ?? []).filter((code) => !readPointCode(code).some((one) => allowed?.has(one) ?? true));
  if (lacking.length > 0)
    issues.push(
      warn(
        [...path, "ss7", "originatingPointCodes"],
        `lacks ${lacking.join(", ")} of match.opc: messages of the trunk from there are refused`,
      ),
    );
  return issues;
}
