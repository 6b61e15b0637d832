// Finds what a policy asks for and the chosen engine can't do.
import { capabilitiesOf, type EngineName } from "../../domain/capabilities.ts";
import type { TrunkPlan } from "./build-policy.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";
import { settingOf, withholdsByScore, withholdsFound, withholdsRoamers } from "./rule-setting.ts";
import { isMapping } from "../yaml/schema-issues.ts";
import type { PolicyFile } from "./policy-file.ts";

/**
 * Finds what the engine can't do for a policy. An error where the policy asks for it explicitly; a
 * warning where calls are refused that another engine would pass.
 */
export function findImpossible(
  file: PolicyFile,
  plans: readonly TrunkPlan[],
  engine: EngineName,
): readonly ConfigIssue[] {
  const can = capabilitiesOf[engine];
  const issues: ConfigIssue[] = [];
  const refuse = (path: Path, message: string): void => {
    issues.push(file.source.issueAt(path, `engine ${engine} ${message}`));
  };
  const warn = (path: Path, message: string): void => {
    issues.push(file.source.issueAt(path, `engine ${engine} ${message}`, "warning"));
  };
  // A default applies to every trunk; its warning is given once.
  const told = new Set<string>();
  for (const plan of plans) {
    const { path, value } = plan.entry;
    const { trunk } = plan;
    const drops = can.silence || value.dropAs !== undefined ? undefined : droppingKey(plan);
    if (drops !== undefined)
      refuse([...path, ...drops], "must answer every call; set `dropAs` to the status for dropped calls");
    if (!can.removesFields) {
      if (value.strip !== undefined) refuse([...path, "strip"], "can't remove header fields");
      if (value.stripVerstat) refuse([...path, "stripVerstat"], "can't remove parameters");
      if (trunk.label.displayName !== "")
        refuse([...path, "label", "displayName"], "can't change a display name");
      if (trunk.side !== "core")
        for (const message of refusedMarks(plan, file)) {
          if (!told.has(message)) warn([...path, "id"], message);
          told.add(message);
        }
    }
    if (!can.sipI && value.isupVersions !== undefined)
      refuse(
        [...path, "isupVersions"],
        "carries no SIP-I: the filter can't read what its server reports of an ISUP body",
      );
    if (!can.carriesRequests)
      for (const method of carriedMethods(value.methods)) {
        refuse([...path, "methods", method], "carries calls only");
      }
    if (can.statuses === undefined) continue;
    const { statuses } = can;
    for (const [reason, status] of trunk.status)
      if (!statuses.has(status)) refuse([...path, "status", reason], `can't answer ${status}`);
    if (value.dropAs !== undefined && !statuses.has(value.dropAs))
      refuse([...path, "dropAs"], `can't answer ${value.dropAs}`);
    if (trunk.nextHops.length > 1 && trunk.failoverOn503)
      warn(
        [...path, "nextHops"],
        "tries another next hop after every refusal, busy included; `failoverOn503: false` keeps to the first",
      );
  }
  return issues;
}

/**
 * Returns the key by which a trunk drops calls without an answer.
 * @returns undefined when the trunk answers every call
 */
function droppingKey(plan: TrunkPlan): Path | undefined {
  const { trunk } = plan;
  if (trunk.side === "core") return undefined;
  if (trunk.exception === "drop") return ["exception"];
  const mayRoam = trunk.side === "international";
  return mayRoam && settingOf(plan, "home-cli-from-abroad", "roamers") === "drop" ? ["id"] : undefined;
}

/** Describes calls that are refused because the engine can't remove anything from a message. */
function refusedMarks(plan: TrunkPlan, { detectors }: PolicyFile): readonly string[] {
  const messages: string[] = [];
  if (settingOf(plan, "display-name", "action") === "strip")
    messages.push("can't remove display names: calls that rule display-name would strip are refused");
  if (withholdsRoamers(plan)) messages.push("can't withhold a number: roamers are refused");
  if (withholdsByScore(plan))
    messages.push("can't withhold a number: calls whose score withholds their number are refused");
  if (withholdsFound(plan, detectors))
    messages.push("can't withhold a number: calls that a finding withholds are refused");
  return messages;
}

function carriedMethods(methods: unknown): readonly string[] {
  if (!isMapping(methods)) return [];
  return Object.entries(methods)
    .filter(([method, how]) => how !== "refuse" && !(method === "OPTIONS" && how === "answer"))
    .map(([method]) => method);
}
