import type { Series } from "./series.ts";

/** Servers that carry calls for us, and what they report. */
export const carrierSeries: readonly Series[] = [
  {
    kind: "counter",
    name: "sigwall_unjudged_attempts_total",
    help: "Calls that a server carried without a decision of ours: reported as attempts, or first heard of by their release.",
    labels: ["report"],
    read({ general: { totals } }, report) {
      report({ report: "attempt" }, totals.unjudgedAttempts);
      report({ report: "release" }, totals.unjudgedReleases);
    },
  },
  {
    kind: "gauge",
    name: "sigwall_drachtio_up",
    help: "1 while a drachtio server is connected and obeys.",
    labels: ["server"],
    read({ general: { links } }, report) {
      for (const { id, isUp } of links) report({ server: id }, isUp ? 1 : 0);
    },
  },
  {
    kind: "gauge",
    name: "sigwall_channels",
    help: "Answered calls in progress by trunk of the calling side, as a drachtio server reports them.",
    labels: ["trunk"],
    read({ channels }, report) {
      for (const [trunk, count] of channels) report({ trunk }, count);
    },
  },
];
