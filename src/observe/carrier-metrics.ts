import type { Counters } from "./counters.ts";
import type { Series } from "./next-hop-metrics.ts";

/** Where the figures of servers that carry the calls come from; an engine with sockets of its own has none. */
export interface CarrierSources {
  readonly counters: Counters;
}

/** What servers that carry calls for us report. */
export function carrierSeries({ counters }: CarrierSources): readonly Series[] {
  return [
    {
      kind: "counter",
      name: "sigwall_unjudged_attempts_total",
      help: "Calls that a server carried without a decision of ours: reported as attempts, or first heard of by their release.",
      labels: ["report"],
      read(report) {
        report({ report: "attempt" }, counters.unjudgedAttempts);
        report({ report: "release" }, counters.unjudgedReleases);
      },
    },
  ];
}
