// The metrics of the policy, of reloads, of the state folder and of overload.
import type { Figures, HealthFigures } from "./figures.ts";
import { labelledSeries, type Series } from "./series.ts";

/** The policy in force and its reloads. */
const policySeries: readonly Series[] = [
  labelledSeries(
    "counter",
    "sigwall_config_reload_total",
    "Reloads asked for since start; after one that failed or was refused the policy before it stays in force.",
    "result",
    ({ general }) => Object.entries(general.reloads),
  ),
  {
    kind: "gauge",
    name: "sigwall_reload_problem_timestamp_seconds",
    help: "When the last reload failed or was refused, with its first cause; no series while the files are in force.",
    labels: ["result", "cause"],
    read({ general: { reloadProblem } }, report) {
      if (reloadProblem === undefined) return;
      const { result, cause, at } = reloadProblem;
      report({ result, cause }, at / 1000);
    },
  },
  labelledSeries(
    "gauge",
    "sigwall_policy_info",
    "Revision of the policy in force.",
    "revision",
    ({ general }) => [[general.revision, 1]],
  ),
  labelledSeries("gauge", "sigwall_sockets_info", "How UDP is taken and sent.", "kind", ({ general }) => [
    [general.sockets, 1],
  ]),
  labelledSeries(
    "gauge",
    "sigwall_list_numbers",
    "Numbers in a list, those in ranges included, and those of prefixes where the plan gives them one length.",
    "list",
    ({ lists }) => lists.map(({ id, numbers }) => [id, numbers]),
  ),
];

/** The program, and what it keeps over a restart. */
const nodeSeries: readonly Series[] = [
  {
    kind: "gauge",
    name: "sigwall_build_info",
    help: "1, with the version of the program and its name among the nodes.",
    labels: ["version", "node"],
    read({ general: { build } }, report) {
      if (build !== undefined) report({ version: build.version, node: build.node }, 1);
    },
  },
  {
    kind: "gauge",
    name: "sigwall_state_folder_ok",
    help: "1 while the state folder is ours and calls in progress are kept there; 0: a restart forgets them.",
    labels: [],
    read({ general: { stateFolder } }, report) {
      if (stateFolder !== undefined) report({}, stateFolder.isOk ? 1 : 0);
    },
  },
  labelledSeries(
    "counter",
    "sigwall_call_snapshots_total",
    "Snapshots of the calls in progress, written and failed.",
    "result",
    ({ general: { stateFolder } }) =>
      stateFolder === undefined
        ? []
        : [
            ["written", stateFolder.written],
            ["failed", stateFolder.failed],
          ],
  ),
  {
    kind: "counter",
    name: "sigwall_list_snapshots_differing_total",
    help: "Lists that the start took from a snapshot and whose files said something else, though they looked unchanged.",
    labels: [],
    read({ general: { listsDiffering } }, report) {
      if (listsDiffering !== undefined) report({}, listsDiffering);
    },
  },
];

const limitSeries: Series = {
  kind: "gauge",
  name: "sigwall_limit_used_ratio",
  help: "Calls that count for a limit by contract of a trunk or a lessee, as a share of those allowed; 0.8 and more only.",
  labels: ["lessee", "limit"],
  read({ general: { limits } }, report) {
    for (const { lessee, limit, ratio } of limits) report({ lessee, limit }, ratio);
  },
};

/** The lines and their orders. */
const lineSeries: readonly Series[] = [
  {
    kind: "gauge",
    name: "sigwall_line_state",
    help: "1, with the state of the line of a trunk: the strictest order of policy and command, for it and its lessee.",
    labels: ["trunk", "state"],
    read({ lines }, report) {
      for (const [trunk, state] of lines) report({ trunk, state }, 1);
    },
  },
  {
    kind: "gauge",
    name: "sigwall_line_orders_ok",
    help: "1 while line orders by command are whole and kept; 0: some may be missing, or a restart forgets them.",
    labels: [],
    read({ general: { areLinesKept } }, report) {
      if (areLinesKept !== undefined) report({}, areLinesKept ? 1 : 0);
    },
  },
];

/** The detectors. */
const detectorSeries: readonly Series[] = [
  {
    kind: "counter",
    name: "sigwall_findings_total",
    help: "Findings of the detectors; a finding in force is told again when it has grown.",
    labels: ["detector", "mode"],
    read({ general: { detection } }, report) {
      for (const { detector, mode, count } of detection?.told ?? []) report({ detector, mode }, count);
    },
  },
  {
    kind: "gauge",
    name: "sigwall_findings_in_force",
    help: "Findings in force now, whether something follows from them or not.",
    labels: ["detector"],
    read({ general: { detection } }, report) {
      for (const { detector, count } of detection?.inForce ?? []) report({ detector }, count);
    },
  },
  {
    kind: "counter",
    name: "sigwall_detectors_full_total",
    help: "Calls, subjects and findings that the detectors did not watch, because a table was full.",
    labels: [],
    read({ general: { detection } }, report) {
      if (detection !== undefined) report({}, detection.full);
    },
  },
];

/** Whom findings and orders bind. */
const quarantineSeries: readonly Series[] = [
  {
    kind: "gauge",
    name: "sigwall_quarantined",
    help: "Callers, blocks, trunks and shielded parties in quarantine, by detector; command: by an order.",
    labels: ["detector"],
    read({ general: { quarantine } }, report) {
      for (const { detector, count } of quarantine?.held ?? []) report({ detector }, count);
    },
  },
  {
    kind: "counter",
    name: "sigwall_quarantine_full_total",
    help: "Findings and orders that bound nobody, because the quarantine was full.",
    labels: [],
    read({ general: { quarantine } }, report) {
      if (quarantine !== undefined) report({}, quarantine.full);
    },
  },
  {
    kind: "gauge",
    name: "sigwall_quarantine_ok",
    help: "1 while the quarantine is whole and kept; 0: entries may be missing, or a restart forgets them.",
    labels: [],
    read({ general: { quarantine } }, report) {
      if (quarantine !== undefined) report({}, quarantine.isKept ? 1 : 0);
    },
  },
];

/** The certificates of the listeners. */
const certificateSeries: Series = labelledSeries(
  "gauge",
  "sigwall_certificate_expiry_seconds",
  "Time until the certificate of a listener expires; below 0 it has expired.",
  "listener",
  ({ general }) => general.certificates.map(({ listener, seconds }) => [listener, seconds]),
);

/** Overload: its stage, and what was measured. */
const healthSeries: readonly Series[] = [
  health(
    "sigwall_overload_stage",
    "0: every new call is judged; 1: trunks above their fair share are shed in part; 2: all new calls but emergencies; 3: those too.",
    ({ stage }) => stage,
  ),
  health(
    "sigwall_draining",
    "1 when no new call is taken because the filter is about to end.",
    ({ isDraining }) => (isDraining ? 1 : 0),
  ),
  health(
    "sigwall_busy_ratio",
    "Share of the last 100 ms in which the call thread was at work.",
    ({ load }) => load.busy,
  ),
  health(
    "sigwall_late_seconds",
    "How long what was due waited for the call thread, measured last.",
    ({ load }) => load.late / 1000,
  ),
];

export const stateSeries: readonly Series[] = [
  ...policySeries,
  ...nodeSeries,
  ...lineSeries,
  ...detectorSeries,
  ...quarantineSeries,
  limitSeries,
  certificateSeries,
  ...healthSeries,
];

/** A gauge that is left out before the engine is up. */
function health(name: string, help: string, read: (figures: HealthFigures) => number): Series {
  return {
    kind: "gauge",
    name,
    help,
    labels: [],
    read({ general }: Figures, report) {
      if (general.health !== undefined) report({}, read(general.health));
    },
  };
}
