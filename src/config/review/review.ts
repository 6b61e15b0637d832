// Reviews a sound policy for what is legal and probably not meant: rules, next hops, lists, dates.
import { type RuleId, ruleIds } from "../../domain/rule-id.ts";
import type { Millis } from "../../domain/time.ts";
import type { NextHop } from "../../domain/trunk.ts";
import { createCalendar } from "../lists/calendar.ts";
import type { TrunkPlan } from "../policy/build-policy.ts";
import { type ConfigIssue, type Path, sortIssues } from "../yaml/issue.ts";
import { ANY_NAME } from "../../policy/trunk-match.ts";
import type { Policy } from "../../policy/policy.ts";
import { reviewLists, soonDays } from "./review-lists.ts";
import { reviewDetectors } from "./review-detectors.ts";
import { reviewMarketing } from "./review-marketing.ts";
import { reviewBareNumbers } from "./review-bare-numbers.ts";
import { reviewRequests } from "./review-requests.ts";
import { reviewSs7 } from "./review-ss7.ts";
import { reviewShutdown } from "./review-shutdown.ts";
import { reviewSides } from "./review-sides.ts";
import { findRule, writtenSetting } from "../policy/rule-options.ts";
import type { PolicyTables, Rule } from "../../screening/rule.ts";
import type { PolicyMaterial } from "../load-policy.ts";

/**
 * Finds what is legal in a policy and probably not meant: rules that never run, names without use,
 * dates that have passed.
 *
 * @param listeners canonical listener ids of `sigwall.yaml`; empty for an engine that carries no
 * SIP
 * @param now Unix milliseconds; decides what has expired
 */
export function reviewPolicy(
  policy: Policy,
  material: PolicyMaterial,
  listeners: readonly string[],
  now: Millis,
): readonly ConfigIssue[] {
  return sortIssues([
    ...reviewTrunks(material, listeners.length > 0),
    ...material.plans.flatMap((plan) => reviewRequests(warner(material), plan)),
    ...material.plans.flatMap((plan) => reviewSs7(warner(material), plan, listeners.length > 0)),
    ...material.plans.flatMap((plan) => reviewBareNumbers(warner(material), plan)),
    ...reviewRules(material),
    ...reviewLesseeUse(material),
    ...reviewNextHops(policy, material, listeners),
    ...reviewSides(warner(material), policy, material.plans, listeners),
    ...reviewSpecialUsers(material, now),
    ...reviewDetectors(warner(material), material.file, material.plans),
    ...reviewLists(material, now),
    ...reviewShutdown(warner(material), material, now),
    ...reviewMarketing(warner(material), material, now),
  ]);
}

type Warn = (path: Path, message: string) => ConfigIssue;

function warner({ file }: PolicyMaterial): Warn {
  return (path, message) => file.source.issueAt(path, message, "warning");
}

/**
 * Reviews the keys of every trunk. `isSip`: the engine carries SIP, so calls go to next hops; SS7
 * calls go on by the other association.
 */
function reviewTrunks(material: PolicyMaterial, isSip: boolean): readonly ConfigIssue[] {
  const warn = warner(material);
  return material.plans.flatMap(({ entry: { path, value }, trunk, chain, tables }) => {
    const issues: ConfigIssue[] = [];
    if (trunk.side === "lessee" && trunk.lessee === undefined) {
      issues.push(
        warn(
          [...path, "side"],
          "the trunk has no lessee, so caller-authentication refuses every call; set `lessee`",
        ),
      );
    }
    if (trunk.side !== "lessee" && trunk.lessee !== undefined) {
      issues.push(warn([...path, "lessee"], `has no effect on a trunk of side ${trunk.side}`));
    }
    if (isSip && trunk.side !== "core" && trunk.nextHops.length === 0) {
      issues.push(
        warn(
          [...path, "id"],
          "the trunk has no nextHops, so accepted calls are answered 404; set `nextHops`",
        ),
      );
    }
    if (chain["line-state"].mode !== "enforce" && tables.lineOrders.length > 0)
      issues.push(
        warn(
          [...path, "id"],
          `rule line-state is ${chain["line-state"].mode} on the trunk: the orders for it stop no call`,
        ),
      );
    if (trunk.side === "core" && (value.rules !== undefined || value.limits !== undefined)) {
      const key = value.rules === undefined ? "limits" : "rules";
      issues.push(warn([...path, key], "has no effect: calls from the core are not screened"));
    }
    if (trunk.side === "lessee" && value.default === "accept") {
      issues.push(warn([...path, "default"], "has no effect: a lessee trunk accepts listed callers only"));
    }
    for (const [reason, status] of trunk.status) {
      // A peer takes 503 as "this element is down" and tries another route (RFC 3261 section
      // 21.5.4).
      if (status !== 503 || mayBeUnavailable.includes(reason)) continue;
      issues.push(
        warn(
          [...path, "status", reason],
          "503 makes the peer try the same call by another route; choose another status",
        ),
      );
    }
    return issues;
  });
}

const mayBeUnavailable: readonly string[] = ["call-rate-exceeded", "channels-exceeded", "overload"];

/** Reviews rules that are configured and never run. */
function reviewRules(material: PolicyMaterial): readonly ConfigIssue[] {
  const warn = warner(material);
  const screened = material.plans.filter(({ trunk }) => trunk.side !== "core");
  const issues: ConfigIssue[] = [];
  for (const id of ruleIds) {
    const rule = findRule(id);
    const written = writtenSetting(material.file.rules, id);
    if (rule === undefined) continue;
    for (const plan of screened) {
      const { entry, trunk, chain, tables } = plan;
      if (Object.keys(writtenSetting(entry.value.rules, id)).length === 0) continue;
      const path = [...entry.path, "rules", id];
      if (chain[id].mode === "off")
        issues.push(...reviewIdleOptions(warn, path, writtenSetting(entry.value.rules, id)));
      else if (!canFire(rule, chain[id].options, tables)) {
        issues.push(warn(path, `can never fire on trunk "${trunk.id}"${whyIdle(id, plan)}`));
      }
    }
    if (Object.keys(written).length === 0) continue;
    const running = screened.filter(({ chain }) => chain[id].mode !== "off");
    if (running.length === 0) issues.push(...reviewIdleOptions(warn, ["rules", id], written));
    else if (!running.some(({ chain, tables }) => canFire(rule, chain[id].options, tables))) {
      issues.push(warn(["rules", id], `can never fire: ${idleEverywhere[id] ?? "it applies to no trunk"}`));
    }
  }
  return issues;
}

function canFire(rule: Rule, options: unknown, tables: PolicyTables): boolean {
  return rule.compile(options, tables) !== undefined;
}

function reviewIdleOptions(
  warn: Warn,
  path: Path,
  written: Readonly<Record<string, unknown>>,
): readonly ConfigIssue[] {
  return Object.keys(written)
    .filter((key) => key !== "mode")
    .map((key) => warn([...path, key], "has no effect while the rule is off"));
}

const idleEverywhere: Partial<Record<RuleId, string>> = {
  "home-cli-from-abroad": "the policy has no international trunk",
  "diversion-licence": "the policy has no lessee trunk",
  "deny-lists": "the policy has no deny list and no score list",
  "caller-authentication": "the policy has no lessee trunk",
  "do-not-call": "no lessee's calls are marketing, or no do-not-call list is for them",
  marketing: "no lessee's calls are marketing",
  "call-frequency": "no trunk has limits.attemptsPerCallerPerMinute or limits.frequency",
  "call-rate": "no trunk and no lessee has limits.callsPerSecond",
};

function whyIdle(id: RuleId, { trunk }: TrunkPlan): string {
  if (id === "deny-lists") return ": the policy has no deny list and no score list";
  if (id === "do-not-call" || id === "marketing")
    return `: ${idleEverywhere[id] ?? "its lessee's calls are no marketing"}`;
  if (id === "call-frequency") return ": it has no limits.attemptsPerCallerPerMinute and no limits.frequency";
  if (id === "call-rate") return ": it has no limits.callsPerSecond, and its lessee has none";
  return `, whose side is ${trunk.side}`;
}

function reviewLesseeUse(material: PolicyMaterial): readonly ConfigIssue[] {
  const used = new Set(material.plans.map(({ trunk }) => trunk.lessee));
  return material.file.lessees
    .filter(({ value }) => !used.has(value.id))
    .map(({ path, value }) => warner(material)([...path, "id"], `no trunk names the lessee "${value.id}"`));
}

/**
 * Reviews next hops: no trunk covers one, or no listener reaches it. The called side sends its
 * requests from the next hop; without a trunk they come from an unknown source.
 */
function reviewNextHops(
  policy: Policy,
  material: PolicyMaterial,
  listeners: readonly string[],
): readonly ConfigIssue[] {
  const reported = new Set<string>();
  return material.plans.flatMap(({ entry, trunk }) =>
    trunk.nextHops.flatMap((hop, index) => {
      const { id, address, port } = hop;
      if (reported.has(id)) return [];
      const isCovered =
        address === undefined ||
        listeners.some((listener) => policy.matchTrunk(listener, address, port, ANY_NAME) !== undefined);
      const messages = isCovered
        ? []
        : [`no trunk matches ${id}: requests that the called side sends from there are dropped`];
      if (!listeners.some((listener) => canReach(listener, hop)))
        messages.push(`nothing listens on ${describeWay(hop)}: no call reaches ${id}`);
      if (messages.length > 0) reported.add(id);
      return messages.map((message) => warner(material)([...entry.path, "nextHops", index], message));
    }),
  );
}

/** Tells whether a listener has the transport and the address family of a next hop. */
function canReach(listener: string, { transport, address }: NextHop): boolean {
  if (!listener.startsWith(`${transport}:`)) return false;
  return address === undefined || listener.startsWith(`${transport}:[`) === address.includes(":");
}

function describeWay({ transport, address }: NextHop): string {
  if (address === undefined) return transport;
  return `${transport} over ${address.includes(":") ? "IPv6" : "IPv4"}`;
}

function reviewSpecialUsers(material: PolicyMaterial, now: Millis): readonly ConfigIssue[] {
  const warn = warner(material);
  const calendar = createCalendar(material.file.timeZone);
  return material.file.specialUsers.flatMap(({ path, value }) => {
    const plan = material.plans.find(({ trunk }) => trunk.id === value.trunk);
    const user = plan?.tables.specialUsers.find(({ number }) => number === value.number);
    if (plan === undefined || user === undefined) return [];
    const issues: ConfigIssue[] = [];
    const lastDay = calendar.formatDay(user.until - 1);
    if (user.until <= now) issues.push(warn([...path, "until"], `expired on ${lastDay}`));
    else if (user.until <= now + soonDays * 86_400_000)
      issues.push(warn([...path, "until"], `expires on ${lastDay}`));
    const list = plan.tables.lesseeNumbers;
    if (plan.trunk.side === "lessee" && list !== undefined && list.numbers.find(user.key, now) < 0) {
      const message = `${list.file} does not list this number now: caller-authentication refuses it, special user or not`;
      issues.push(warn([...path, "number"], message));
    }
    return issues;
  });
}
