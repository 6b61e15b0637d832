import type { Counters } from "./counters.ts";
import type { Series } from "./next-hop-metrics.ts";

/** Where the figures of servers that carry the calls come from; an engine with sockets of its own has none. */
export interface CarrierSources {
  readonly counters: Counters;
  readonly links?: () => readonly { readonly id: string; readonly isUp: boolean }[];
  /** Answered calls in progress by trunk. */
  readonly channels?: () => ReadonlyMap<string, number>;
}

/** Servers that carry calls for us, and what they report. */
export function carrierSeries({ counters, links, channels }: CarrierSources): readonly Series[] {
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
    {
      kind: "gauge",
      name: "sigwall_drachtio_up",
      help: "1 while a drachtio server is connected and obeys.",
      labels: ["server"],
      read(report) {
        for (const { id, isUp } of links?.() ?? []) report({ server: id }, isUp ? 1 : 0);
      },
    },
    {
      kind: "gauge",
      name: "sigwall_channels",
      help: "Answered calls in progress by trunk of the calling side, as a drachtio server reports them.",
      labels: ["trunk"],
      read(report) {
        for (const [trunk, count] of channels?.() ?? []) report({ trunk }, count);
      },
    },
  ];
}
