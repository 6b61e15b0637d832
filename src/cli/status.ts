// `sigwall status`: what the running filter is doing now, out of its figures.
import { formatIssue } from "../config/yaml/issue.ts";
import { loadStatic } from "../config/load-static.ts";
import { socketPath } from "../config/sigwall/admin-schema.ts";
import { findPlace, type Surroundings } from "../config/sigwall/node-place.ts";
import type { Mutable } from "../domain/mutable.ts";
import { readFromDisk } from "../app/read-file.ts";
import { askSocket } from "./asking/filter-socket.ts";
import { readSamples, type Sample } from "./asking/metrics-text.ts";

/** What the command was called with. */
export interface StatusOptions {
  readonly config: string;
  readonly json?: boolean;
}

/** Where the command writes, the wall clock, and what surrounds the process. */
export interface StatusOutput extends Surroundings {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly now: () => number;
}

/** A trunk now. */
interface TrunkStatus {
  readonly trunk: string;
  readonly line: string;
  readonly setup: number;
  readonly answered: number;
  /** Call attempts since the start, and those refused. */
  readonly attempts: number;
  readonly refused: number;
}

/** Another node, as this one hears it. */
interface NodeStatus {
  readonly node: string;
  readonly isUp: boolean;
  readonly isReady: boolean;
  readonly revision: string;
  /** From its sending to our receipt. Milliseconds. */
  readonly delay: number;
  /** Its clock less ours. Milliseconds. */
  readonly clockOffset: number;
}

/** The filter now. */
export interface Status {
  readonly version: string;
  readonly node: string;
  readonly revision: string;
  readonly upSeconds: number;
  readonly isDraining: boolean;
  /** Stage of the overload control; 0: no call is shed. */
  readonly overload: number;
  readonly trunks: readonly TrunkStatus[];
  readonly nextHops: readonly { readonly trunk: string; readonly nextHop: string; readonly state: string }[];
  /** Limits by contract of which at least 80 % are used. */
  readonly limits: readonly { readonly limit: string; readonly lessee: string; readonly ratio: number }[];
  /** Findings of detectors since the start. */
  readonly findings: readonly { readonly detector: string; readonly mode: string; readonly count: number }[];
  /** Detectors with findings in force, or with somebody in quarantine; `command`: bound by order. */
  readonly quarantine: readonly {
    readonly detector: string;
    readonly bound: number;
    readonly findings: number;
  }[];
  /** The last reload, where it failed or was refused: other files are on the disk than those in force. */
  readonly reload?: { readonly result: string; readonly at: string; readonly cause: string };
  /** The other nodes. Empty without a key `redis`. */
  readonly nodes: readonly NodeStatus[];
  /** What an operator should look at, in words. */
  readonly attention: readonly string[];
}

const DONE = 0;
const FAILED = 1;
/** No filter runs. */
const NOT_RUNNING = 3;
/** Longest wait for the figures. Milliseconds. */
const MOST_WAIT = 10_000;
const MOST_ANSWER = 64 * 2 ** 20;

/**
 * Prints what the filter of a configuration is doing.
 *
 * @returns resolves with the exit code: 0; 1 it can't be asked; 3 it does not run
 */
export async function showStatus(
  { config: path, json }: StatusOptions,
  output: StatusOutput,
): Promise<number> {
  const { config, issues } = loadStatic(readFromDisk, path);
  if (config === undefined) {
    for (const issue of issues) output.stderr.write(`${formatIssue(issue)}\n`);
    return FAILED;
  }
  const { stateFolder } = findPlace(config, path, output);
  const socket = socketPath(config.adminAccess, stateFolder);
  const asked = await askSocket(socket, {
    method: "GET",
    path: "/metrics",
    mostWait: MOST_WAIT,
    mostAnswer: MOST_ANSWER,
  });
  if (asked.kind === "silent") {
    output.stderr.write(`no filter runs: nobody serves ${socket}\n`);
    return NOT_RUNNING;
  }
  if (asked.kind === "failed" || asked.status !== 200) {
    const why = asked.kind === "failed" ? asked.why : `status ${asked.status}`;
    output.stderr.write(`the filter at ${socket} can't be asked: ${why}\n`);
    return FAILED;
  }
  const status = readStatus(readSamples(asked.text), output.now());
  output.stdout.write(json === true ? `${JSON.stringify(status)}\n` : describe(status));
  return DONE;
}

/** @param now Unix milliseconds */
export function readStatus(samples: readonly Sample[], now: number): Status {
  const of = (name: string): readonly Sample[] => samples.filter((sample) => sample.name === name);
  const one = (name: string): number => of(name)[0]?.value ?? 0;
  const label = (name: string, key: string): string => of(name)[0]?.labels[key] ?? "";
  return {
    version: label("sigwall_build_info", "version"),
    node: label("sigwall_build_info", "node"),
    revision: label("sigwall_policy_info", "revision"),
    upSeconds: Math.max(0, Math.round(now / 1000 - one("process_start_time_seconds"))),
    isDraining: one("sigwall_draining") === 1,
    overload: one("sigwall_overload_stage"),
    trunks: readTrunks(of),
    nextHops: of("sigwall_next_hop_state")
      .filter(({ value }) => value === 1)
      .map(({ labels }) => ({
        trunk: labels["trunk"] ?? "",
        nextHop: labels["next_hop"] ?? "",
        state: labels["state"] ?? "",
      })),
    limits: of("sigwall_limit_used_ratio").map(({ labels, value }) => ({
      limit: labels["limit"] ?? "",
      lessee: labels["lessee"] ?? "",
      ratio: value,
    })),
    findings: of("sigwall_findings_total")
      .filter(({ value }) => value > 0)
      .map(({ labels, value }) => ({
        detector: labels["detector"] ?? "",
        mode: labels["mode"] ?? "",
        count: value,
      })),
    quarantine: readQuarantine(of),
    ...readReload(of),
    nodes: readNodes(of),
    attention: readAttention(of),
  };
}

function readReload(of: (name: string) => readonly Sample[]): Pick<Status, "reload"> {
  const [problem] = of("sigwall_reload_problem_timestamp_seconds");
  if (problem === undefined) return {};
  const { result = "", cause = "" } = problem.labels;
  return { reload: { result, at: new Date(problem.value * 1000).toISOString(), cause } };
}

function readQuarantine(of: (name: string) => readonly Sample[]): Status["quarantine"] {
  const found = new Map<string, { bound: number; findings: number }>();
  for (const [name, key] of [
    ["sigwall_quarantined", "bound"],
    ["sigwall_findings_in_force", "findings"],
  ] as const)
    for (const { labels, value } of of(name)) {
      const detector = labels["detector"] ?? "";
      found.set(detector, { ...(found.get(detector) ?? { bound: 0, findings: 0 }), [key]: value });
    }
  return [...found]
    .filter(([, { bound, findings }]) => bound > 0 || findings > 0)
    .map(([detector, counts]) => ({ detector, ...counts }));
}

function readNodes(of: (name: string) => readonly Sample[]): Status["nodes"] {
  return of("sigwall_cluster_node_info").map(({ labels }) => {
    const node = labels["node"] ?? "";
    const one = (name: string): number =>
      of(name).find((sample) => sample.labels["node"] === node)?.value ?? 0;
    return {
      node,
      isUp: one("sigwall_cluster_node_up") === 1,
      isReady: one("sigwall_cluster_node_ready") === 1,
      revision: labels["revision"] ?? "",
      delay: Math.round(one("sigwall_cluster_delay_seconds") * 1000),
      clockOffset: Math.round(one("sigwall_cluster_clock_offset_seconds") * 1000),
    };
  });
}

function readTrunks(of: (name: string) => readonly Sample[]): readonly TrunkStatus[] {
  const found = new Map<string, Mutable<TrunkStatus>>();
  const at = (trunk: string): Mutable<TrunkStatus> => {
    const known = found.get(trunk);
    if (known !== undefined) return known;
    const fresh = { trunk, line: "", setup: 0, answered: 0, attempts: 0, refused: 0 };
    found.set(trunk, fresh);
    return fresh;
  };
  for (const { labels, value } of of("sigwall_calls")) {
    if (labels["state"] === "setup") at(labels["trunk"] ?? "").setup += value;
    else if (labels["state"] === "answered") at(labels["trunk"] ?? "").answered += value;
  }
  for (const { labels, value } of of("sigwall_attempts_total")) {
    if (labels["mode"] === "monitor") continue;
    const status = at(labels["trunk"] ?? "");
    status.attempts += value;
    if (labels["verdict"] === "reject" || labels["verdict"] === "drop") status.refused += value;
  }
  for (const { labels } of of("sigwall_line_state")) {
    const status = found.get(labels["trunk"] ?? "");
    if (status !== undefined) status.line = labels["state"] ?? "";
  }
  found.delete("");
  return [...found.values()].toSorted((a, b) => (a.trunk < b.trunk ? -1 : 1));
}

/** Figures that are 0, or 1, while all is well. */
const shouldBeZero: readonly (readonly [name: string, words: string])[] = [
  ["sigwall_records_lost_total", "events without a record line"],
  ["sigwall_evidence_lost_total", "messages that are not kept as evidence"],
  ["sigwall_table_full_total", "calls that met a full table"],
  ["sigwall_faults_total", "errors of the filter itself"],
  ["sigwall_log_lost_total", "lost log lines"],
  ["sigwall_cluster_lost_total", "entries that nodes did not hear"],
  ["sigwall_cluster_refused_total", "entries in Redis that no node has sealed"],
  ["sigwall_quarantine_full_total", "findings and orders that bound nobody: the quarantine was full"],
];
const shouldBeOne: readonly (readonly [name: string, words: string])[] = [
  ["sigwall_records_ok", "record lines can't be written"],
  ["sigwall_state_folder_ok", "the state folder can't be used: a restart forgets calls"],
  ["sigwall_line_orders_ok", "orders for lines are damaged, or can't be kept"],
  ["sigwall_redis_up", "Redis does not answer: this node counts alone"],
  ["sigwall_quarantine_ok", "the quarantine is damaged, or can't be kept"],
];

function readAttention(of: (name: string) => readonly Sample[]): readonly string[] {
  const broken = shouldBeOne.flatMap(([name, words]) =>
    of(name).some(({ value }) => value === 0) ? [words] : [],
  );
  const counted = shouldBeZero.flatMap(([name, words]) => {
    const total = of(name).reduce((sum, { value }) => sum + value, 0);
    return total === 0 ? [] : [`${total} ${words} since the start`];
  });
  const down = of("sigwall_next_hop_state").filter(
    ({ labels, value }) => labels["state"] === "down" && value === 1,
  );
  const lags = of("sigwall_cluster_lagging").some(({ value }) => value === 1);
  const revisions = of("sigwall_cluster_revisions").some(({ value }) => value > 1);
  return [
    ...broken,
    ...(lags ? ["the policy of this node is not that of the others: reload it, or them"] : []),
    ...(revisions && !lags ? ["other nodes have another policy than this one"] : []),
    ...of("sigwall_cluster_node_up")
      .filter(({ value }) => value === 0)
      .map(({ labels }) => `node ${labels["node"] ?? ""} is not heard`),
    ...counted,
    ...down.map(({ labels }) => `next hop ${labels["next_hop"] ?? ""} of ${labels["trunk"] ?? ""} is down`),
  ];
}

function describe(status: Status): string {
  const { version, node, revision, upSeconds, isDraining, overload, trunks, limits, findings } = status;
  const { quarantine, reload, attention } = status;
  const load = isDraining
    ? "stopping: new calls are refused"
    : overload === 0
      ? "no call is shed"
      : `stage ${overload}`;
  const rows: (readonly string[])[] = [["trunk", "line", "set-up", "answered", "attempts", "refused"]];
  for (const { trunk, line, setup, answered, attempts, refused } of trunks) {
    const share = attempts === 0 ? "" : ` (${((refused / attempts) * 100).toFixed(1)} %)`;
    rows.push([trunk, line, String(setup), String(answered), String(attempts), `${refused}${share}`]);
  }
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const table = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const lines = [
    `sigwall ${version}, node ${node}, up ${sayTime(upSeconds)}, policy ${revision}`,
    `overload   ${load}`,
    ...limits.map(({ limit, ratio }) => `limit      ${(ratio * 100).toFixed(0)} % used: ${limit}`),
    ...findings.map(({ detector, mode, count }) => `findings   ${detector}: ${count} (${mode})`),
    ...quarantine.map(
      ({ detector, bound, findings: inForce }) =>
        `quarantine ${detector}: ${bound} bound${detector === "command" ? "" : `, ${inForce} findings in force`}`,
    ),
    ...(reload === undefined
      ? []
      : [`reload     ${reload.result} at ${reload.at}, policy ${revision} stays in force: ${reload.cause}`]),
    ...status.nodes.map(
      ({ node: other, isUp, isReady, revision: runs, delay, clockOffset }) =>
        `node       ${other}: ${isUp ? (isReady ? "ready" : "not ready") : "not heard"}, policy ${runs}, ${delay} ms away, clock ${clockOffset >= 0 ? "+" : ""}${clockOffset} ms`,
    ),
    ...attention.map((words) => `attention  ${words}`),
    "",
    ...table,
  ];
  return `${lines.join("\n")}\n`;
}

function sayTime(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const clock = new Date((seconds % 86_400) * 1000).toISOString().slice(11, 19);
  return days === 0 ? clock : `${days} d ${clock}`;
}
