// `sigwall check`: validates the configuration and prints its issues and a summary.
import { sayAmount } from "../domain/amount.ts";
import { missingOf } from "../domain/capabilities.ts";
import { ruleIds, type RuleMode } from "../domain/rule-id.ts";
import type { NextHop, Side } from "../domain/trunk.ts";
import type { Millis } from "../domain/time.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { sayNumbers } from "../config/change/number-words.ts";
import { createCalendar } from "../config/lists/calendar.ts";
import { type ConfigIssue, formatIssue, hasErrors } from "../config/yaml/issue.ts";
import { readYaml, type Source } from "../config/yaml/yaml-source.ts";
import { loadStatic, type StaticConfig } from "../config/load-static.ts";
import { describeEntry } from "../policy/match-ties.ts";
import type { Policy } from "../policy/policy.ts";
import { describeShutdown } from "../config/review/review-shutdown.ts";
import { bareAmbiguousOf, bareLookalikes } from "../config/review/review-bare-numbers.ts";
import { reviewPolicy } from "../config/review/review.ts";
import { loadAdminTls } from "../config/sigwall/admin-schema.ts";
import { loadTls } from "../config/sigwall/tls-files.ts";
import { findRule, mergeSetting } from "../config/policy/rule-options.ts";
import { describeSs7 } from "../config/policy/keys/ss7-schema.ts";
import { policiesOf } from "../records/policies/policy-place.ts";
import { findEvidenceKeyIssue } from "../records/evidence/evidence-key.ts";
import { readFromDisk } from "../app/read-file.ts";
import { describePlace } from "../app/cluster/describe-place.ts";
import { findSecretIssues } from "../app/cluster/redis-secrets.ts";
import type { RedisConfig } from "../config/sigwall/redis-schema.ts";
import { findKeyIssue } from "../app/key-file.ts";
import { describeOrders, orphansOf } from "../app/lines/lines-held.ts";
import { type FoundLines, readKept } from "../app/lines/lines-files.ts";
import { describeForgotten, findStateFolderIssue } from "../app/state-folder.ts";
import type { RecordsConfig } from "../config/sigwall/records-schema.ts";
import { compareWithKept } from "../app/lists/custody-before.ts";
import { findPlace, type NodePlace, type Surroundings } from "../config/sigwall/node-place.ts";
import { describeLinks } from "./start-message.ts";
import { loadPolicy, type PolicyMaterial } from "../config/load-policy.ts";
import { formatScore } from "../numbering/lists/score.ts";
import type { RestRange } from "../hours/rest-hours.ts";

/** Where the command writes, the time that counts as now (Unix milliseconds), and what surrounds the process. */
export interface CheckOutput extends Surroundings {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly now: Millis;
}

/**
 * Runs `sigwall check`: prints every issue as `file:line:col path: message`, then the summary.
 * @returns exit code: 0 without errors, also with warnings; 1 with errors; 2 when the config file
 * can't be read
 */
export function checkConfig(configPath: string, output: CheckOutput): number {
  const present = readFromDisk(configPath);
  if ("error" in present) {
    output.stderr.write(`sigwall check: can't read ${configPath}: ${present.error}\n`);
    return 2;
  }
  const { config, issues: staticIssues } = loadStatic(readFromDisk, configPath);
  if (config === undefined) return conclude(staticIssues, [], output);
  const tlsIssues = [
    ...(config.tls === undefined ? [] : loadTls(readFromDisk, config.tls, output.now).issues),
    ...loadAdminTls(readFromDisk, config.adminAccess, output.now).issues,
  ];
  const listeners = config.listen.map((listener) => listener.id);
  const { policy, material, issues } = loadPolicy(readFromDisk, config.policy, listeners, config.engine);
  if (policy === undefined || material === undefined)
    return conclude([...staticIssues, ...issues, ...tlsIssues], [], output);
  const findings = reviewPolicy(policy, material, listeners, output.now);
  const place = findPlace(config, configPath, output);
  const kept = readKept(place.stateFolder);
  const summary = [
    ...describeStatic(config, place),
    ...describeEvidence(config, material),
    ...describePolicy(policy, material, output.now),
    ...describeFrequencies(policy, config.records),
    ...labelled("shutdown", describeShutdown(material)),
    ...describeScores(material),
    ...describeMarketing(policy, material),
    ...(config.engine === "m3ua" ? describeLabels(policy) : []),
    ...describeLines(policy, kept, output.now),
  ];
  const placeIssues = [
    ...findRedisFileIssues(readYaml(configPath, present.bytes), config.redis),
    ...findPlaceIssues(configPath, place, config),
    ...findKeptIssues(configPath, policy, kept, output.now),
    ...compareWithKept(policiesOf(config), place.node, material, output.now).issues,
  ];
  return conclude([...staticIssues, ...placeIssues, ...issues, ...tlsIssues, ...findings], summary, output);
}

/** Warnings about keys that sigwall.yaml may leave out stand at its first line. */
function findPlaceIssues(
  file: string,
  { stateFolder, warning }: NodePlace,
  { keyFile, records, evidence }: Pick<StaticConfig, "keyFile" | "records" | "evidence">,
): readonly ConfigIssue[] {
  const issueAt = (path: string, message: string): ConfigIssue => ({
    severity: "warning",
    file,
    line: 1,
    column: 1,
    path,
    message,
  });
  const why = findStateFolderIssue(stateFolder);
  const whyNoKey = keyFile === undefined ? undefined : findKeyIssue(keyFile);
  const whyNoEvidence = evidence === undefined ? undefined : findEvidenceKeyIssue(evidence.keyFile);
  const whyNoRecords = records === undefined ? undefined : findStateFolderIssue(records.folder);
  return [
    ...(whyNoEvidence === undefined ? [] : [issueAt("evidence.keyFile", whyNoEvidence)]),
    ...(whyNoRecords === undefined
      ? []
      : [
          issueAt(
            "records.folder",
            `records can't be written to ${records?.folder}: ${whyNoRecords}; calls would leave no line`,
          ),
        ]),
    ...(warning === undefined ? [] : [issueAt("node", warning)]),
    ...(why === undefined ? [] : [issueAt("stateFolder", describeForgotten(stateFolder, why))]),
    ...(whyNoKey === undefined ? [] : [issueAt("keyFile", whyNoKey)]),
  ];
}

/** Warns of files for Redis that can't be read, or that others can read. */
function findRedisFileIssues(source: Source, redis: RedisConfig | undefined): readonly ConfigIssue[] {
  if (redis === undefined) return [];
  return findSecretIssues(redis).map(([path, message]) => source.issueAt(path, message, "warning"));
}

/** Warns of orders by command that are damaged, or for lines that the policy does not have. */
function findKeptIssues(file: string, policy: Policy, kept: FoundLines, now: Millis): readonly ConfigIssue[] {
  const messages = [
    ...(kept.trouble === undefined ? [] : [`line orders: ${kept.trouble}`]),
    ...orphansOf(policy, kept, now).map(
      (line) =>
        `an order for ${line} is kept, and the policy has no such line; take it away with sigwall line open`,
    ),
  ];
  return messages.map((message) => ({
    severity: "warning",
    file,
    line: 1,
    column: 1,
    path: "stateFolder",
    message,
  }));
}

/** The lines that are observed, suspended or closed now, by the policy or by command. */
function describeLines(policy: Policy, kept: FoundLines, now: Millis): readonly Line[] {
  const rows = describeOrders(policy, kept, now, createCalendar(policy.timeZone));
  return labelled("lines", rows);
}

type Line = readonly [label: string, text: string];

function conclude(issues: readonly ConfigIssue[], summary: readonly Line[], { stdout }: CheckOutput): number {
  for (const issue of issues) stdout.write(`${formatIssue(issue)}\n`);
  if (issues.length > 0 && summary.length > 0) stdout.write("\n");
  const errors = issues.filter((issue) => issue.severity === "error").length;
  const warnings = issues.length - errors;
  const result: Line = ["result", `${sayAmount(errors, "error")}, ${sayAmount(warnings, "warning")}`];
  const width = Math.max(...[...summary, result].map(([label]) => label.length));
  for (const [label, text] of [...summary, result]) stdout.write(`${label.padEnd(width)}  ${text}\n`);
  return hasErrors(issues) ? 1 : 0;
}

function describeStatic(
  { engine, drachtio, listen, m3ua, admin, records, redis }: StaticConfig,
  { node, stateFolder }: NodePlace,
): readonly Line[] {
  const missing = missingOf(engine);
  const servers = drachtio?.servers.map(({ host, port }) => `${host}:${port}`) ?? [];
  const places = m3ua === undefined ? listen.map(({ id }) => id) : describeLinks({ m3ua });
  return [
    ["engine", `${engine} on ${places.join(", ")}`],
    ...(servers.length === 0 ? [] : [["", `by ${servers.join(", ")}`] as const]),
    ...(missing.length === 0 ? [] : [["", `can't: ${missing.join(", ")}`] as const]),
    ["admin", formatEndpoint(admin)],
    ["node", node],
    ["state", stateFolder],
    ["records", describeRecords(records)],
    ...(redis === undefined ? [] : [["redis", `${describePlace(redis)}, prefix ${redis.prefix}`] as const]),
  ];
}

/** Says what is kept of refused calls, and where nothing is. */
function describeEvidence({ evidence }: StaticConfig, { plans }: PolicyMaterial): readonly Line[] {
  if (evidence === undefined)
    return [["evidence", "off: no key `evidence` in sigwall.yaml; refused messages are not kept"]];
  const { folder, durability, checkpointSeconds, keepDays } = evidence;
  const others = plans
    .filter(({ trunk }) => trunk.evidence !== undefined && trunk.evidence !== durability)
    .map(({ trunk }) => `${trunk.id}: ${trunk.evidence}`);
  const elsewhere = others.length === 0 ? "" : ` (${others.join(", ")})`;
  return [
    [
      "evidence",
      `${folder}, ${durability}${elsewhere}, signed every ${checkpointSeconds} s, kept for ${keepDays} days`,
    ],
  ];
}

/** Says what the scores of each list lead to. */
function describeScores({ plans }: PolicyMaterial): readonly Line[] {
  const rows = (plans[0]?.tables.scoreLists ?? []).map(({ id, bands }) => [
    id,
    bands.map((band) => `${band.do} from ${formatScore(band.from)}`).join(", "),
  ]);
  return labelled("scores", rows);
}

function labelled(label: string, rows: readonly (readonly string[])[]): readonly Line[] {
  return align(rows).map((text, index) => [index === 0 ? label : "", text]);
}

/** Says which lessees are meant by the rules about marketing, and what these ask for. */
function describeMarketing({ marketing }: Policy, { calendar }: PolicyMaterial): readonly Line[] {
  if (marketing === undefined) return [];
  const { lessees, platformsWritten, callBack, rest, areas } = marketing;
  const [usual] = rest.hours;
  const others = areas.filter((which) => which > 0).length;
  const last = [...rest.days.keys()].toSorted().at(-1);
  return [
    ["marketing", `${sayAmount(lessees.length, "lessee")}: ${lessees.join(", ")}`],
    ["", `from ${platformsWritten}; calls back within ${callBack / 3_600_000} h`],
    ["", `rest hours ${sayRanges(usual?.workdays)}; on rest days ${sayRanges(usual?.restDays)}`],
    ...(others === 0 ? [] : [["", `${sayAmount(others, "area code")} with other hours`] as const]),
    [
      "",
      calendar === undefined
        ? "no calendar: Saturdays and Sundays are rest days, holidays are none"
        : `${calendar.file}: ${sayAmount(rest.days.size, "day")}, up to ${last ?? "none"}`,
    ],
  ];
}

function sayRanges(ranges: readonly RestRange[] = []): string {
  return [...new Set(ranges.map(({ written }) => written))].join(", ") || "none";
}

/** Says what a start knows of the calls that count for limits by contract. */
function describeFrequencies(policy: Policy, records: RecordsConfig | undefined): readonly Line[] {
  const names = new Set(
    policy.trunks.flatMap(({ trunk }) => (trunk.limits.frequency ?? []).map(({ name }) => name)),
  );
  if (names.size === 0) return [];
  const kept =
    records === undefined
      ? "a start may forget a minute of calls, because there are no records"
      : "a start counts the calls of the record lines again";
  return [["frequencies", `${sayAmount(names.size, "limit")} by contract; ${kept}`]];
}

function describeRecords(records: RecordsConfig | undefined): string {
  if (records === undefined) return "off: no call is remembered; set `records.folder`";
  const { folder, keepDays, onFull } = records;
  const full = onFull === "count" ? "losses are counted" : "new calls are refused";
  return `${folder}, ${sayAmount(keepDays, "day")}; when full ${full}`;
}

const sides = ["lessee", "national", "international", "core"] as const satisfies readonly Side[];

function describePolicy(policy: Policy, material: PolicyMaterial, now: Millis): readonly Line[] {
  const { file, plans } = material;
  const bySide = sides.map((side) => `${plans.filter(({ trunk }) => trunk.side === side).length} ${side}`);
  return [
    ["policy", `${file.source.file}, revision ${policy.revision}`],
    ["trunks", `${plans.length}: ${bySide.join(", ")}`],
    ...describeNextHops(plans),
    ["lessees", `${file.lessees.length}`],
    ...describeLists(policy),
    ...describeRules(material),
    ...describeBareNumbers(material),
    ...describeSpecialUsers(material, now),
  ];
}

/** Writes one line per trunk: its next hops in the order of use. */
function describeNextHops(plans: PolicyMaterial["plans"]): readonly Line[] {
  const rows = plans
    .filter(({ trunk }) => trunk.nextHops.length > 0)
    .map(({ trunk: { id, nextHops } }) => [id, describeOrder(nextHops)]);
  return labelled("next hops", rows);
}

/** Writes one line per trunk: the messages that are the trunk's, and which of them may pass. */
function describeLabels({ trunks, matchesOf }: Policy): readonly Line[] {
  const rows = trunks.flatMap(({ trunk: { id, ss7 } }) =>
    matchesOf(id).map((entry, index) => [
      index === 0 ? id : "",
      describeEntry(entry),
      index === 0 ? describeSs7(ss7) : "",
    ]),
  );
  return labelled("ss7", rows);
}

/** Writes "a and b, then c". Next hops of one priority share the calls by weight. */
function describeOrder(nextHops: readonly NextHop[]): string {
  const priorities = [...new Set(nextHops.map(({ priority }) => priority))].toSorted((a, b) => a - b);
  return priorities
    .map((priority) => {
      const hops = nextHops.filter((hop) => hop.priority === priority);
      const total = hops.reduce((sum, { weight }) => sum + weight, 0);
      return hops
        .map(({ id, weight }) => (hops.length === 1 ? id : `${id} (${Math.round((100 * weight) / total)}%)`))
        .join(" and ");
    })
    .join(", then ");
}

function describeLists({ lists }: Policy): readonly Line[] {
  if (lists.length === 0) return [["lists", "none"]];
  const rows = lists.map(({ id, kind, file, rows: amount, numbers, prefixes }) => {
    return [id, kind, sayAmount(amount, "row"), sayNumbers(numbers, prefixes), file];
  });
  return labelled("lists", rows);
}

function describeRules({ file, plans }: PolicyMaterial): readonly Line[] {
  const built = ruleIds.filter((id) => findRule(id) !== undefined);
  const byMode = new Map<RuleMode, string[]>([
    ["enforce", []],
    ["monitor", []],
    ["off", []],
  ]);
  for (const id of built) {
    const merged = mergeSetting(id, file.rules, undefined);
    const mode = "mode" in merged ? merged.mode : "off";
    const elsewhere = plans
      .filter(({ trunk, chain }) => trunk.side !== "core" && chain[id].mode !== mode)
      .map(({ trunk, chain }) => `${trunk.id}: ${chain[id].mode}`);
    byMode.get(mode)?.push(elsewhere.length === 0 ? id : `${id} (${elsewhere.join(", ")})`);
  }
  return [...byMode]
    .filter(([, rules]) => rules.length > 0)
    .map(([mode, rules], index) => [
      index === 0 ? "rules" : "",
      `${mode} ${rules.length}: ${rules.join(", ")}`,
    ]);
}

/** Says what the rule against domestic numbers from abroad costs, per international trunk. */
function describeBareNumbers({ plans }: PolicyMaterial): readonly Line[] {
  const refusing = plans.filter((plan) => bareAmbiguousOf(plan) === "reject").map(({ trunk }) => trunk.id);
  if (refusing.length === 0) return [];
  return [
    ["bare numbers", `from abroad without "+", refused when they look domestic: ${bareLookalikes}`],
    ["", `on ${refusing.join(", ")}; bareAmbiguous: accept lets them pass`],
  ];
}

function describeSpecialUsers({ file, plans }: PolicyMaterial, now: Millis): readonly Line[] {
  const calendar = createCalendar(file.timeZone);
  const rows = plans.flatMap(({ trunk, tables }) =>
    tables.specialUsers.map(({ number, allow, until }) => {
      const end = `${until <= now ? "expired on" : "until"} ${calendar.formatDay(until - 1)}`;
      return [number, `on ${trunk.id}`, [...allow].join(", "), end];
    }),
  );
  return labelled("special users", rows);
}

/** Pads the cells of every column to one width and joins each row. */
function align(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
