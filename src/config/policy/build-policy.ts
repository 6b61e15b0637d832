// Builds a policy from the parts of its file: trunks, rules, tables and the trunk matcher.
import { createMethodTable } from "../../domain/method.ts";
import { ruleIds } from "../../domain/rule-id.ts";
import type { RuleId } from "../../domain/rule-id.ts";
import { reasonCodes } from "../../domain/reason.ts";
import type { Side, Trunk, TrunkId, TrunkLimits } from "../../domain/trunk.ts";
import type { PolicyRevision } from "../../domain/decision.ts";
import { parseHostPort, type HostPort } from "../../net/host.ts";
import { createDialPlan } from "../../numbering/dial-plan.ts";
import { readListNumber } from "../../numbering/e164.ts";
import type { MarketingPolicy, PolicyTables, SpecialUser } from "../../screening/rule.ts";
import { compileScreen } from "../../screening/chain/screen.ts";
import type { ChainConfig } from "../../screening/chain/screen.ts";
import { createCalendar } from "../lists/calendar.ts";
import { compileCleanUp, compileLabel } from "./keys/clean-up-schema.ts";
import type { DayCalendar } from "../lists/day-calendar.ts";
import { planMarketing } from "./marketing.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import type { LoadedList } from "./list-loading.ts";
import { toLesseeList, toSharedLists } from "./list-loading.ts";
import { readLines } from "./line-orders.ts";
import { buildNextHop, type NextHopHealthEntry } from "./next-hop.ts";
import type { Placed, PolicyFile } from "./policy-file.ts";
import { compileFrequencies } from "./keys/frequency-schema.ts";
import type { LesseeEntry, TrunkEntry } from "./policy-schema.ts";
import type { ListSummary, NextHopHealth, Policy, PolicyLine, TrunkPolicy } from "../../policy/policy.ts";
import { matchEntriesOf } from "./references.ts";
import { mergeSetting } from "./rule-options.ts";
import type { RuleSetting } from "./rule-options.ts";
import { mayWithhold } from "./rule-setting.ts";
import { compileSs7 } from "./keys/ss7-schema.ts";
import { createMatcherInSteps, type MatchEntry } from "../../policy/trunk-match.ts";
import { findTargetsAt } from "../../policy/trunks-at.ts";

/** A trunk before its rules are compiled. The review of a policy looks at it. */
export interface TrunkPlan {
  readonly entry: Placed<TrunkEntry>;
  readonly trunk: Trunk;
  readonly chain: ChainConfig;
  readonly tables: PolicyTables;
}

/**
 * Builds every trunk with its tables and rules.
 *
 * @param calendar of holidays. Left out: the policy names none
 * @returns `issues` reports numbers, dates and merged options that make no sense
 */
export function planTrunks(
  file: PolicyFile,
  lists: readonly LoadedList[],
  calendar?: DayCalendar,
): {
  readonly plans: readonly TrunkPlan[];
  readonly lines: readonly PolicyLine[];
  readonly issues: readonly ConfigIssue[];
} {
  const issues: ConfigIssue[] = [];
  const specialUsers = readSpecialUsers(file, issues);
  const lines = readLines(file);
  issues.push(...lines.issues);
  const sharedLists = toSharedLists(lists);
  const marketing = planMarketing(file, lists, calendar);
  const lessees = new Map(file.lessees.map(({ value }) => [value.id, value]));
  const common = new Map<Side, ChainConfig>();
  const plans = file.trunks.map((entry, index) => {
    const lessee = lessees.get(entry.value.lessee ?? "");
    const trunk = buildTrunk(
      entry.value,
      index,
      file.nextHopHealth,
      lessee && { ...lessee, trunks: channelTrunksOf(file, lessee.id) },
    );
    const lesseeList = lists.find((list) => list.kind === "lessee" && list.id === trunk.lessee);
    const tables: PolicyTables = {
      trunk,
      lesseeNumbers: lesseeList === undefined ? undefined : toLesseeList(lesseeList, trunk.id),
      ...sharedLists,
      specialUsers: specialUsers.get(trunk.id) ?? [],
      lineOrders: lines.ordersOf(trunk),
      marketing: trunk.side === "lessee" ? marketing.get(trunk.lessee ?? "") : undefined,
    };
    // Trunks of one side without own `rules` share one chain.
    const shared = entry.value.rules === undefined ? common.get(trunk.side) : undefined;
    const chain = shared ?? mergeChain(file, entry, issues);
    if (entry.value.rules === undefined) common.set(trunk.side, chain);
    return { entry, trunk, tables, chain };
  });
  return { plans, lines: lines.lines, issues };
}

/** Everything that a policy is compiled from. */
export interface PolicyParts {
  readonly file: Pick<PolicyFile, "tables" | "overload" | "nextHopHealth" | "timeZone" | "detectors">;
  readonly plans: Iterable<TrunkPlan>;
  readonly lines: readonly PolicyLine[];
  readonly lists: readonly ListSummary[];
  readonly revision: PolicyRevision;
}

/** Compiles the parts into an immutable policy. */
export function compilePolicy(parts: PolicyParts): Policy {
  const steps = compileInSteps(parts);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/**
 * Compiles the parts in short steps, one trunk each, so that the call thread can carry calls in
 * between.
 *
 * @returns yields each trunk as it is compiled; undefined is a step of another kind
 */
export function* compileInSteps({
  file,
  plans,
  lines,
  lists,
  revision,
}: PolicyParts): Generator<TrunkPolicy | undefined, Policy> {
  const trunks: TrunkPolicy[] = [];
  const entries: MatchEntry<TrunkPolicy>[] = [];
  let marketing: MarketingPolicy | undefined;
  for (const plan of plans) {
    const { entry, trunk, chain, tables } = plan;
    marketing ??= tables.marketing?.policy;
    const screen = compileScreen(chain, tables, revision);
    const compiled = Object.freeze({ trunk, screen, mayWithhold: mayWithhold(plan, file.detectors) });
    trunks.push(compiled);
    entries.push(...matchEntriesOf(entry.value, compiled));
    yield compiled;
  }
  const byId = new Map(trunks.map((trunk) => [trunk.trunk.id, trunk]));
  const nextHops = new Map<string, Set<number>>();
  for (const { address, port } of trunks.flatMap(({ trunk }) => trunk.nextHops)) {
    if (address === undefined) continue;
    nextHops.set(address, (nextHops.get(address) ?? new Set()).add(port));
  }
  yield;
  const matchTrunk = yield* createMatcherInSteps(entries, file.tables.sources);
  return Object.freeze({
    revision,
    trunks: Object.freeze(trunks),
    tables: Object.freeze(file.tables),
    overload: Object.freeze(file.overload),
    detectors: file.detectors,
    marketing,
    lists: Object.freeze(lists),
    lines: Object.freeze(lines),
    timeZone: file.timeZone,
    nextHopHealth: Object.freeze(readHealth(file.nextHopHealth)),
    matchTrunk,
    trunksAt: (listener: string, address: string) => findTargetsAt(entries, listener, address),
    trunkById: (id: string) => byId.get(id),
    matchesOf: (id: string) => entries.filter(({ target }) => target.trunk.id === id),
    isNextHop: (address: string, port?: number) => {
      // A dual-stack socket reports IPv4 peers as IPv4-mapped (RFC 4291 section 2.5.5.2).
      const literal = address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
      const ports = nextHops.get(literal);
      return ports !== undefined && (port === undefined || ports.has(port));
    },
  });
}

/** Summarises a list for metrics and `check`. */
export function summariseList({ id, kind, file, read }: LoadedList): ListSummary {
  return { id, kind, file, fingerprint: read.hashes.text, ...read.counts };
}

function readHealth(entry: NextHopHealthEntry): NextHopHealth {
  return {
    probes: entry.probe === "options",
    interval: entry.intervalSeconds * 1000,
    timeout: entry.timeoutSeconds * 1000,
    missesUntilDown: entry.missesUntilDown,
    answersUntilUp: entry.answersUntilUp,
    longestRest: entry.longestRetryAfterSeconds * 1000,
    longestInterval: Math.max(entry.longestIntervalSeconds, entry.intervalSeconds) * 1000,
  };
}

/** A lessee, and its trunks that hold channels. */
type Owner = LesseeEntry & { readonly trunks: readonly TrunkId[] };

/** The trunks of a lessee that hold channels: one that redirects sees no end of a call. */
function channelTrunksOf({ trunks }: PolicyFile, lessee: string): readonly TrunkId[] {
  return Object.freeze(
    trunks
      .filter(({ value }) => value.lessee === lessee && value.mode !== "redirect")
      .map(({ value }) => value.id),
  );
}

function buildTrunk(
  entry: TrunkEntry,
  index: number,
  health: NextHopHealthEntry,
  lessee: Owner | undefined,
): Trunk {
  const { side, status = {} } = entry;
  const contract = lessee?.contract;
  const { tlsName } = entry.match;
  return Object.freeze({
    id: entry.id,
    index,
    side,
    lessee: entry.lessee,
    dialPlan: createDialPlan({
      international: side === "international",
      homeArea: entry.areaCode,
      phoneContexts: new Set(entry.phoneContexts.map((domain) => domain.toLowerCase())),
      bareForm: entry.bareForm,
      tolerateTrunkZero: entry.tolerateTrunkZero,
      stripTrailingST: entry.stripTrailingST,
    }),
    nextHops: Object.freeze((entry.nextHops ?? []).flatMap(buildNextHop)),
    ownNames: Object.freeze((entry.ownNames ?? []).flatMap(readOwnName)),
    failoverOn503: entry.failoverOn503 ?? health.failoverOn503,
    passThrough503: entry.passThrough503 ?? health.passThrough503,
    fallback: entry.default ?? (side === "lessee" ? "reject" : "accept"),
    exception: entry.exception,
    status: new Map(
      reasonCodes.flatMap((code) => {
        const override = status[code];
        return override === undefined ? [] : [[code, override] as const];
      }),
    ),
    identity: entry.identity,
    mustAgree: Object.freeze(entry.mustAgree),
    limits: readLimits(entry, lessee),
    mode: entry.mode,
    methods: createMethodTable(entry.methods, entry.mode === "redirect"),
    cleanUp: compileCleanUp(entry.strip, entry.stripVerstat),
    label: compileLabel(entry.label),
    longestCall: entry.maxCallHours * 3_600_000,
    isupVersions: new Map(
      Object.entries(entry.isupVersions ?? {}).map(([name, layout]) => [name.toLowerCase(), layout]),
    ),
    bodies: new Set((entry.bodies ?? []).map((type) => type.toLowerCase())),
    ss7: compileSs7(entry),
    ...(entry.tcpAbove === undefined ? {} : { tcpAbove: entry.tcpAbove }),
    ...(entry.evidence === undefined ? {} : { evidence: entry.evidence }),
    ...(lessee === undefined || lessee.licence === "own-use" ? {} : { licence: lessee.licence }),
    ...(contract === undefined ? {} : { contract }),
    ...(tlsName === undefined ? {} : { tlsName: tlsName.toLowerCase() }),
    dropAs: entry.dropAs,
  });
}

/** Assigned, not spread: a spread would give the limits of each trunk a hidden class of their own. Each call reads them. */
function readLimits({ id, lessee, limits }: TrunkEntry, owner: Owner | undefined): TrunkLimits {
  const frequency = [
    ...compileFrequencies(limits?.frequency ?? [], `trunk ${id}`, id, lessee),
    ...compileFrequencies(owner?.limits?.frequency ?? [], `lessee ${lessee ?? ""}`, id, lessee),
  ];
  const { frequency: _written, ...others } = limits ?? {};
  const read = Object.assign<TrunkLimits, Partial<TrunkLimits>>({}, others);
  const { callsPerSecond, channels } = owner?.limits ?? {};
  if (owner !== undefined && (callsPerSecond !== undefined || channels !== undefined))
    Object.assign(read, {
      lessee: Object.freeze({
        ...(callsPerSecond === undefined ? {} : { callsPerSecond }),
        ...(channels === undefined ? {} : { channels }),
        trunks: owner.trunks,
      }),
    });
  return Object.freeze(
    frequency.length === 0 ? read : Object.assign(read, { frequency: Object.freeze(frequency) }),
  );
}

function readOwnName(text: string): readonly HostPort[] {
  const place = parseHostPort(text);
  return place === undefined ? [] : [Object.freeze(place)];
}

function mergeChain(
  file: PolicyFile,
  { path, value }: Placed<TrunkEntry>,
  issues: ConfigIssue[],
): ChainConfig {
  const chain: Partial<Record<RuleId, RuleSetting>> = {};
  for (const id of ruleIds) {
    const merged = mergeSetting(id, file.rules, value.rules, value.side);
    const isSound = "mode" in merged;
    if (!isSound && merged.length > 0) {
      const message = `together with the global options: ${merged.join(", ")}`;
      issues.push(file.source.issueAt([...path, "rules", id], message));
    }
    chain[id] = isSound ? merged : { mode: "off", options: {} };
  }
  if (!isWhole(chain)) throw new TypeError("a rule without setting");
  return chain;
}

function isWhole(chain: Partial<ChainConfig>): chain is ChainConfig {
  return ruleIds.every((id) => chain[id] !== undefined);
}

function readSpecialUsers(
  { source, specialUsers, timeZone, homeCountry }: PolicyFile,
  issues: ConfigIssue[],
): ReadonlyMap<string, readonly SpecialUser[]> {
  const calendar = createCalendar(timeZone);
  const byTrunk = new Map<string, SpecialUser[]>();
  for (const { path, value } of specialUsers) {
    const number = readListNumber(value.number, homeCountry);
    const until = calendar.readDay(value.until);
    if (typeof number === "string") issues.push(source.issueAt([...path, "number"], number));
    if (until === undefined)
      issues.push(source.issueAt([...path, "until"], `${value.until} is not a day of the calendar`));
    if (typeof number === "string" || until === undefined) continue;
    const users = byTrunk.get(value.trunk) ?? [];
    byTrunk.set(value.trunk, users);
    users.push({
      key: number.key,
      number: value.number,
      allow: new Set(value.allow),
      until: until.end,
      reason: value.reason,
    });
  }
  return byTrunk;
}
