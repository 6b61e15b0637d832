// The metrics of what goes to a HEP collector.
import type { HepFigures } from "./figures.ts";
import { labelledSeries, plainSeries, type Series } from "./series.ts";

const nothing: HepFigures = { sent: 0, lost: { queue: 0, size: 0, socket: 0 } };

/** Copies of judged messages for a HEP collector; all are 0 without one. */
export const hepSeries: readonly Series[] = [
  plainSeries(
    "counter",
    "sigwall_hep_sent_total",
    "Judged messages handed to the network for the HEP collector, each with its verdict.",
    ({ general: { hep = nothing } }) => hep.sent,
  ),
  labelledSeries(
    "counter",
    "sigwall_hep_lost_total",
    "Judged messages that were not: no room in the queue, larger than a datagram takes, or not taken by the socket.",
    "cause",
    ({ general: { hep = nothing } }) => Object.entries(hep.lost),
  ),
];
