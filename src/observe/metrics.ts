// Renders the figures of a scrape as Prometheus text.
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { clusterSeries } from "./cluster/cluster-metrics.ts";
import { carrierSeries } from "./carrier-metrics.ts";
import { decisionBuckets } from "./counters.ts";
import { collectionBuckets, type Figures } from "./figures.ts";
import { hepSeries } from "./hep-metrics.ts";
import { nextHopSeries } from "./next-hop-metrics.ts";
import { recordsSeries } from "./records-metrics.ts";
import { readRuntime, runtimeMetrics } from "./runtime-metrics.ts";
import type { Report, Series } from "./series.ts";
import { ss7Series } from "./ss7-metrics.ts";
import { stateSeries } from "./state-metrics.ts";
import { trafficSeries } from "./traffic-metrics.ts";

/**
 * The longest time that a timer takes. Milliseconds. prom-client's monitor of the event-loop delay wakes an idle thread
 * a hundred times a second, and it would measure the thread that renders.
 */
const NEVER = 2 ** 31 - 1;

/** What the thread that renders knows without asking the call thread. */
export interface WatchedFigures {
  /** Longest turn of the call thread within the last minute, the one under way included. Seconds. */
  readonly longestTurn: number;
  /** Log lines that were lost: the queue was full, or the reader of the log stood still. */
  readonly logLost: number;
}

/** The Prometheus text of everything that is counted. */
export interface Metrics {
  readonly contentType: string;
  /** Renders `figures`; without them only what the thread knows by itself and the metrics of the process. */
  readonly render: (figures: Figures | undefined, watched: WatchedFigures) => Promise<string>;
}

interface Sample {
  /** The name of the sample where it differs from the metric's. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What is rendered now; read by every metric. */
interface Scrape {
  figures: Figures | undefined;
  watched: WatchedFigures;
}

/**
 * Builds the registry. Labels are bounded: ids of the policy, codes of our own tables and statuses, never a number, a
 * URI or a Call-ID. Nothing is counted here: the metrics show the figures of a scrape.
 */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const scrape: Scrape = { figures: undefined, watched: { longestTurn: 0, logLost: 0 } };
  const add = (series: Series): void =>
    addMetric(registry, series, (report) => {
      if (scrape.figures !== undefined) series.read(scrape.figures, report);
    });
  trafficSeries.forEach(add);
  addDecisionTimes(registry, scrape);
  for (const series of [nextHopSeries, carrierSeries, hepSeries, recordsSeries, ss7Series, stateSeries])
    series.forEach(add);
  for (const { read, ...series } of clusterSeries)
    add({
      ...series,
      read({ general: { cluster } }, report) {
        if (cluster !== undefined) read(cluster, report);
      },
    });
  addWatchedMetrics(registry, scrape);
  addProcessMetrics(registry, scrape);
  let last: Promise<unknown> = Promise.resolve();
  return {
    contentType: registry.contentType,
    render(figures, watched) {
      // One at a time: a registry has one state.
      const text = last.then(() => {
        Object.assign(scrape, { figures, watched });
        return registry.metrics();
      });
      last = text.catch(() => undefined);
      return text;
    },
  };
}

function addMetric(
  registry: Registry,
  { kind, name, help, labels }: Omit<Series, "read">,
  read: (report: Report) => void,
): void {
  const settings = { name, help, labelNames: labels, registers: [registry] };
  hand(kind === "counter" ? new Counter(settings) : new Gauge(settings), { name, help, type: kind }, read);
}

interface Head {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
}

/**
 * Makes a metric show what `read` reports. `inc` with labels would hash them, which takes ten times as long for the
 * thousands of series of 200 trunks.
 */
function hand(metric: object, head: Head, read: (report: Report) => void): void {
  handSamples(metric, head, () => {
    const values: Sample[] = [];
    read((labels, value) => values.push({ labels, value }));
    return values;
  });
}

function handSamples(metric: object, head: Head, read: () => readonly Sample[]): void {
  const get = (): Promise<unknown> => Promise.resolve({ ...head, values: read() });
  // prom-client fills histograms by single observations only, and prints them by a method of their own.
  Object.assign(metric, { get, ...(head.type === "histogram" ? { getForPromString: get } : {}) });
}

function addDecisionTimes(registry: Registry, scrape: Scrape): void {
  const name = "sigwall_decision_seconds";
  const help = "Time from the received bytes of a call attempt to its decision.";
  const histogram = new Histogram({ name, help, registers: [registry] });
  handSamples(histogram, { name, help, type: "histogram" }, () => {
    if (scrape.figures === undefined) return [];
    const { decisionSeconds, decisionSum } = scrape.figures.general.totals;
    return bucketSamples(name, {}, decisionBuckets, decisionSeconds, decisionSum);
  });
}

/** Cumulative buckets, as the exposition format wants them. */
function bucketSamples(
  name: string,
  labels: Readonly<Record<string, string>>,
  bounds: readonly number[],
  counts: Iterable<number>,
  sum: number,
): readonly Sample[] {
  const samples: Sample[] = [];
  let total = 0;
  let index = 0;
  for (const value of counts) {
    total += value;
    const le = bounds[index++] ?? "+Inf";
    samples.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: total });
  }
  samples.push({ metricName: `${name}_sum`, labels, value: sum });
  samples.push({ metricName: `${name}_count`, labels, value: total });
  return samples;
}

function addWatchedMetrics(registry: Registry, scrape: Scrape): void {
  addMetric(
    registry,
    {
      kind: "gauge",
      name: "sigwall_call_thread_turn_seconds",
      help: "Longest turn of the call thread within the last minute, the one under way included.",
      labels: [],
    },
    (report) => report({}, scrape.watched.longestTurn),
  );
  addMetric(
    registry,
    {
      kind: "counter",
      name: "sigwall_log_lost_total",
      help: "Lines that the log does not have: too many waited, or nobody reads them.",
      labels: [],
    },
    (report) => report({}, scrape.watched.logLost),
  );
}

/** The usual metrics of a process on Node.js; those of one thread are the call thread's. */
function addProcessMetrics(registry: Registry, scrape: Scrape): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: NEVER });
  for (const figure of ["min", "max", "mean", "stddev", "p50", "p90", "p99"])
    registry.removeSingleMetric(`nodejs_eventloop_lag_${figure}_seconds`);
  // Gauges whose names end like a counter's: promtool refuses them.
  for (const name of ["handles", "requests", "resources"])
    registry.removeSingleMetric(`nodejs_active_${name}_total`);
  for (const name of runtimeMetrics) {
    takeOver(
      registry,
      name,
      "gauge",
      (head) => (metric) =>
        hand(metric, head, (report) => {
          if (scrape.figures !== undefined) readRuntime(name, scrape.figures, report);
        }),
    );
  }
  takeOver(
    registry,
    "nodejs_gc_duration_seconds",
    "histogram",
    (head) => (metric) =>
      handSamples(metric, head, () =>
        [...(scrape.figures?.runtime?.collections ?? [])].flatMap(([kind, { buckets, sum }]) =>
          bucketSamples(head.name, { kind }, collectionBuckets, buckets, sum),
        ),
      ),
  );
}

/** Replaces the values of a metric of prom-client's own, and keeps its name and help. */
function takeOver(
  registry: Registry,
  name: string,
  type: Head["type"],
  handTo: (head: Head) => (metric: object) => void,
): void {
  const metric = registry.getSingleMetric(name);
  if (metric === undefined || !("help" in metric) || typeof metric.help !== "string") return;
  handTo({ name, help: metric.help, type })(metric);
}
