// The metrics of calls in progress, and of the servers that carry calls.
import type { Series } from "./series.ts";

/** Calls in progress, and the servers that carry calls for us. */
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
    help: "Answered calls in progress by trunk of the calling side.",
    labels: ["trunk"],
    read({ calls }, report) {
      for (const [trunk, { answered }] of calls) report({ trunk }, answered);
    },
  },
  {
    kind: "gauge",
    name: "sigwall_calls",
    help: "Calls in progress by trunk of the calling side: in set-up, and answered.",
    labels: ["trunk", "state"],
    read({ calls }, report) {
      for (const [trunk, { setup, answered }] of calls) {
        report({ trunk, state: "setup" }, setup);
        report({ trunk, state: "answered" }, answered);
      }
    },
  },
];
