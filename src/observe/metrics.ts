import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { type Counters, decisionBuckets, eachAttemptCount, eachRequestCount } from "./counters.ts";
import { carrierSeries, type CarrierSources } from "./carrier-metrics.ts";
import { hepSeries, type HepSources } from "./hep-metrics.ts";
import { nextHopSeries, type NextHopSources } from "./next-hop-metrics.ts";
import { ss7Series } from "./ss7-metrics.ts";

/** How often each outcome of a policy load was met since start. */
export interface ReloadCounts {
  ok: number;
  failed: number;
}

/** What the metrics say about the policy in force. */
export interface PolicyFigures {
  readonly revision: string;
  readonly lists: readonly { readonly id: string; readonly numbers: number }[];
}

/**
 * Milliseconds; the longest a timer takes. prom-client's monitor of event-loop delay wakes an idle process a hundred
 * times a second, and a busy one pays for a timer with every wait. The lag that is measured during a scrape stays.
 */
const NEVER = 2 ** 31 - 1;

/** How the engine fares. */
export interface HealthFigures {
  readonly stage: number;
  readonly isDraining: boolean;
  readonly load: { readonly busy: number; readonly late: number };
}

/** Where the figures come from; every one is read when a scrape asks, and at no other time. */
export interface MetricSources extends NextHopSources, CarrierSources, HepSources {
  readonly reloads: ReloadCounts;
  /** How UDP is taken and sent: "batched" or "dgram". */
  readonly sockets: string;
  readonly policy: () => PolicyFigures;
  /** Undefined before the engine is up. */
  readonly health?: () => HealthFigures | undefined;
  /** How often a call met each bounded table of the rules full. */
  readonly tableFull: Readonly<Record<string, number>>;
  /** How often each rule threw. */
  readonly ruleFaults: Readonly<Record<string, number>>;
}

/** The Prometheus text of everything that is counted. */
export interface Metrics {
  readonly contentType: string;
  readonly render: () => Promise<string>;
}

/**
 * Builds the registry. Labels are bounded: ids of the policy, codes of our own tables and statuses, never a number,
 * a URI or a Call-ID. An `inc` with labels costs microseconds, so nothing is counted here: `collect` copies the
 * plain counters when Prometheus comes.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  addTrafficMetrics(registry, sources.counters);
  addFaultMetrics(registry, sources);
  addStreamMetrics(registry, sources.counters);
  addDecisionTimes(registry, sources.counters);
  addNextHopMetrics(registry, sources);
  addPolicyMetrics(registry, sources);
  addHealthMetrics(registry, sources);
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER });
  for (const figure of ["min", "max", "mean", "stddev", "p50", "p90", "p99"])
    registry.removeSingleMetric(`nodejs_eventloop_lag_${figure}_seconds`);
  // Gauges whose names end like a counter's: promtool refuses them.
  for (const name of ["handles", "requests", "resources"])
    registry.removeSingleMetric(`nodejs_active_${name}_total`);
  return { contentType: registry.contentType, render: () => registry.metrics() };
}

type LabelledCount = (labels: Readonly<Record<string, string>>, value: number) => void;

/** A counter whose series are handed over anew with every scrape. */
function addCounter(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  read: (count: LabelledCount) => void,
): void {
  hand(new Counter({ name, help, labelNames, registers: [registry] }), name, help, "counter", read);
}

function addGauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly string[],
  read: (set: LabelledCount) => void,
): void {
  hand(new Gauge({ name, help, labelNames, registers: [registry] }), name, help, "gauge", read);
}

/**
 * Has a metric hand over what `read` reports. An `inc` with labels hashes them, and the thousands of series of 200 trunks would hold up
 * calls for tens of milliseconds at every scrape.
 */
function hand(
  metric: object,
  name: string,
  help: string,
  type: "counter" | "gauge",
  read: (report: LabelledCount) => void,
): void {
  Object.assign(metric, {
    get: () => {
      const values: Sample[] = [];
      read((labels, value) => values.push({ labels, value }));
      return Promise.resolve({ name, help, type, values });
    },
  });
}

function addTrafficMetrics(registry: Registry, counters: Counters): void {
  addCounter(
    registry,
    "sigwall_attempts_total",
    "Call attempts judged, by verdict, reason code and deciding rule; mode monitor counts findings that did not decide.",
    ["trunk", "verdict", "reason", "rule", "mode"],
    (count) => eachAttemptCount(counters, count),
  );
  addCounter(
    registry,
    "sigwall_requests_total",
    "Requests other than call attempts that were judged or refused, by method, verdict, reason code and deciding rule.",
    ["trunk", "method", "verdict", "reason", "rule", "mode"],
    (count) => eachRequestCount(counters, count),
  );
  addCounter(
    registry,
    "sigwall_display_names_removed_total",
    "Calls that went on without the display names of their callers.",
    ["trunk"],
    (count) => {
      for (const [trunk, { namesRemoved }] of counters.trunks) count({ trunk }, namesRemoved);
    },
  );
  addCounter(
    registry,
    "sigwall_retransmissions_total",
    "Repeats of a request that got the stored decision again.",
    ["trunk"],
    (count) => {
      for (const [trunk, { retransmissions }] of counters.trunks) count({ trunk }, retransmissions);
    },
  );
  addCounter(
    registry,
    "sigwall_forged_repeats_total",
    "Requests refused because they carry the key of a judged request and other content.",
    ["trunk"],
    (count) => {
      for (const [trunk, { forgedRepeats }] of counters.trunks) count({ trunk }, forgedRepeats);
    },
  );
  addCounter(
    registry,
    "sigwall_protocol_errors_total",
    "Answers that RFC 3261 asks of any proxy (400, 416, 420, 483 ...), by status.",
    ["trunk", "status"],
    (count) => {
      for (const [trunk, { protocolErrors }] of counters.trunks) {
        for (const [status, value] of protocolErrors) count({ trunk, status: String(status) }, value);
      }
    },
  );
}

function addFaultMetrics(registry: Registry, { counters, tableFull, ruleFaults }: MetricSources): void {
  const plain = (name: string, help: string, read: () => number): void =>
    addCounter(registry, name, help, [], (count) => count({}, read()));
  plain(
    "sigwall_unknown_source_messages_total",
    "Datagrams dropped unread because no trunk matches their source.",
    () => counters.unknownSource,
  );
  plain(
    "sigwall_not_sip_messages_total",
    "Datagrams of known sources that are not SIP.",
    () => counters.notSip,
  );
  plain(
    "sigwall_stray_responses_total",
    "Responses dropped because no request of ours asked for them, or from where it did not go.",
    () => counters.strayResponses,
  );
  plain(
    "sigwall_forwarded_messages_total",
    "Requests and responses sent on to the other side.",
    () => counters.forwarded,
  );
  plain(
    "sigwall_unsendable_messages_total",
    "Accepted messages that could not be sent on: too large, or no target.",
    () => counters.unsendable,
  );
  plain("sigwall_faults_total", "Errors of our own caught at the edge of an engine.", () => counters.faults);
  plain(
    "sigwall_evidence_lost_total",
    "Refusals whose evidence could not be kept. Evidence is not written yet, so this is 0.",
    () => 0,
  );
  addCounter(
    registry,
    "sigwall_rule_faults_total",
    "Rules that failed by our own fault.",
    ["rule"],
    (count) => {
      for (const [rule, value] of Object.entries(ruleFaults)) count({ rule }, value);
    },
  );
  addCounter(
    registry,
    "sigwall_table_full_total",
    "Calls that met a full table, so that the exception policy of their trunk applied.",
    ["table"],
    (count) => {
      count({ table: "ledger" }, counters.ledgerFull);
      count({ table: "failovers" }, counters.failoversFull);
      count({ table: "transactions" }, counters.transactionsFull);
      for (const [table, value] of Object.entries(tableFull)) count({ table }, value);
    },
  );
}

function addStreamMetrics(registry: Registry, counters: Counters): void {
  const { streams } = counters;
  addCounter(
    registry,
    "sigwall_connections_total",
    "TCP and TLS connections by what came of them: accepted and refused those of peers, connected and failed our own.",
    ["result"],
    (count) => {
      for (const [result, value] of Object.entries(streams.results)) count({ result }, value);
    },
  );
  addCounter(
    registry,
    "sigwall_connections_closed_total",
    "TCP and TLS connections that ended, by the peer or by us and for what.",
    ["reason"],
    (count) => {
      for (const [reason, value] of Object.entries(streams.closed)) count({ reason }, value);
    },
  );
  addGauge(registry, "sigwall_connections_open", "TCP and TLS connections that are open.", [], (set) =>
    set({}, streams.open),
  );
  addGauge(
    registry,
    "sigwall_connections_unread_bytes",
    "What waits for peers on TCP and TLS to read it.",
    [],
    (set) => set({}, streams.unread),
  );
  addCounter(
    registry,
    "sigwall_undelivered_messages_total",
    "Messages that no connection could carry; requests among them were answered 503.",
    [],
    (count) => count({}, streams.undelivered),
  );
  addCounter(
    registry,
    "sigwall_transaction_timeouts_total",
    "Requests from a stream that a UDP hop never answered, so that 408 was said for it.",
    [],
    (count) => count({}, counters.transactionTimeouts),
  );
}

function addDecisionTimes(registry: Registry, counters: Counters): void {
  const name = "sigwall_decision_seconds";
  const help = "Time from the received bytes of a call attempt to its decision.";
  const histogram = new Histogram({ name, help, registers: [registry] });
  // prom-client fills histograms by single observations only; ours were counted on the way of the calls.
  const read = (): Promise<unknown> =>
    Promise.resolve({ name, help, type: "histogram", values: bucketValues(name, counters) });
  Object.assign(histogram, { get: read, getForPromString: read });
}

interface Sample {
  /** Where it is not the metric's own. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** Cumulative buckets, as the exposition format wants them. */
function bucketValues(name: string, { decisionSeconds, decisionSum }: Counters): readonly Sample[] {
  const samples: Sample[] = [];
  let total = 0;
  for (const [index, value] of decisionSeconds.entries()) {
    total += value;
    const le = decisionBuckets[index] ?? "+Inf";
    samples.push({ metricName: `${name}_bucket`, labels: { le }, value: total });
  }
  samples.push({ metricName: `${name}_sum`, labels: {}, value: decisionSum });
  samples.push({ metricName: `${name}_count`, labels: {}, value: total });
  return samples;
}

function addNextHopMetrics(registry: Registry, sources: MetricSources): void {
  const series = [
    ...nextHopSeries(sources),
    ...carrierSeries(sources),
    ...hepSeries(sources),
    ...ss7Series(sources.counters.ss7),
  ];
  for (const { kind, name, help, labels, read } of series) {
    const add = kind === "counter" ? addCounter : addGauge;
    add(registry, name, help, labels, read);
  }
}

function addPolicyMetrics(registry: Registry, { policy, reloads, sockets }: MetricSources): void {
  addCounter(
    registry,
    "sigwall_config_reload_total",
    "Reloads asked for since start; after a failed one the policy before it stays in force.",
    ["result"],
    (count) => {
      for (const [result, value] of Object.entries(reloads)) count({ result }, value);
    },
  );
  addGauge(registry, "sigwall_policy_info", "Revision of the policy in force.", ["revision"], (set) =>
    set({ revision: policy().revision }, 1),
  );
  addGauge(registry, "sigwall_sockets_info", "How UDP is taken and sent.", ["kind"], (set) =>
    set({ kind: sockets }, 1),
  );
  addGauge(
    registry,
    "sigwall_list_numbers",
    "Numbers in a list, those in ranges included; a prefix counts as none.",
    ["list"],
    (set) => {
      for (const { id, numbers } of policy().lists) set({ list: id }, numbers);
    },
  );
}

function addHealthMetrics(registry: Registry, { health = () => undefined }: MetricSources): void {
  const plain = (name: string, help: string, read: (figures: HealthFigures) => number): void =>
    addGauge(registry, name, help, [], (set) => {
      const figures = health();
      if (figures !== undefined) set({}, read(figures));
    });
  plain(
    "sigwall_overload_stage",
    "0: every new call is judged; 1: trunks above their fair share are shed in part; 2: all new calls but emergencies; 3: those too.",
    ({ stage }) => stage,
  );
  plain(
    "sigwall_draining",
    "1 when no new call is taken because the filter is about to end.",
    ({ isDraining }) => (isDraining ? 1 : 0),
  );
  plain(
    "sigwall_busy_ratio",
    "Share of the last 100 ms in which the call thread was at work.",
    ({ load }) => load.busy,
  );
  plain(
    "sigwall_late_seconds",
    "How long what was due waited for the call thread, measured last.",
    ({ load }) => load.late / 1000,
  );
}
