import { capabilitiesOf, type EngineName } from "../../domain/capabilities.ts";
import type { TrunkPlan } from "./build-policy.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";
import { mayWithhold, settingOf } from "./rule-setting.ts";
import { isMapping } from "../yaml/schema-issues.ts";
import type { PolicyFile } from "./policy-file.ts";

/**
 * What a policy asks of an engine that can't do it. An error where somebody asked for it in so many words; a warning where calls
 * are refused that another engine would let through.
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
  // What a default asks for, it asks for on every trunk.
  const told = new Set<string>();
  for (const plan of plans) {
    const { path, value } = plan.entry;
    const { trunk } = plan;
    const drops = can.silence || value.dropAs !== undefined ? undefined : droppingKey(plan);
    if (drops !== undefined)
      refuse([...path, ...drops], "can't be silent: `dropAs` says how a dropped call is answered");
    if (!can.removesFields) {
      if (value.strip !== undefined) refuse([...path, "strip"], "can't take header fields out");
      if (value.stripVerstat) refuse([...path, "stripVerstat"], "can't take parameters out");
      if (trunk.label.displayName !== "")
        refuse([...path, "label", "displayName"], "can't change a display name");
      if (trunk.side !== "core")
        for (const message of refusedMarks(plan)) {
          if (!told.has(message)) warn([...path, "id"], message);
          told.add(message);
        }
    }
    if (!can.sipI && value.isupVersions !== undefined)
      refuse(
        [...path, "isupVersions"],
        "carries no SIP-I: what its server shows of an ISUP body can't be read",
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
        "tries the next one on every refusal of the first, busy included; `failoverOn503: false` keeps to one",
      );
  }
  return issues;
}

/** Where a trunk asks for silence. */
function droppingKey(plan: TrunkPlan): Path | undefined {
  const { trunk } = plan;
  if (trunk.side === "core") return undefined;
  if (trunk.exception === "drop") return ["exception"];
  const mayRoam = trunk.side === "international";
  return mayRoam && settingOf(plan, "home-cli-from-abroad", "roamers") === "drop" ? ["id"] : undefined;
}

/** Calls that are refused because nothing can be taken out of them. */
function refusedMarks(plan: TrunkPlan): readonly string[] {
  const messages: string[] = [];
  if (settingOf(plan, "display-name", "action") === "strip")
    messages.push("can't take display names out: calls that rule display-name would strip are refused");
  if (mayWithhold(plan)) messages.push("can't withhold a number: roamers are refused");
  return messages;
}

function carriedMethods(methods: unknown): readonly string[] {
  if (!isMapping(methods)) return [];
  return Object.entries(methods)
    .filter(([method, how]) => how !== "refuse" && !(method === "OPTIONS" && how === "answer"))
    .map(([method]) => method);
}
