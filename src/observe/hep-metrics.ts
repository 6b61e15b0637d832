import type { Series } from "./next-hop-metrics.ts";

/** Where the figures of the HEP export come from; without one all are 0. */
export interface HepSources {
  readonly hep?: () => HepFigures | undefined;
}

/** What became of judged messages on their way to a HEP collector. */
export interface HepFigures {
  /** Messages handed to the network, their verdicts not counted apart. UDP: what happens behind it nobody is told. */
  readonly sent: number;
  /** Messages that were not: no room in the queue, larger than a datagram takes, or not taken by the socket. */
  readonly lost: Readonly<Record<"queue" | "size" | "socket", number>>;
}

const nothing: HepFigures = { sent: 0, lost: { queue: 0, size: 0, socket: 0 } };

/** Copies of judged messages for a HEP collector. */
export function hepSeries({ hep = () => undefined }: HepSources): readonly Series[] {
  return [
    {
      kind: "counter",
      name: "sigwall_hep_sent_total",
      help: "Judged messages handed to the network for the HEP collector, each with its verdict.",
      labels: [],
      read: (report) => report({}, (hep() ?? nothing).sent),
    },
    {
      kind: "counter",
      name: "sigwall_hep_lost_total",
      help: "Judged messages that were not: no room in the queue, larger than a datagram takes, or not taken by the socket.",
      labels: ["cause"],
      read(report) {
        for (const [cause, value] of Object.entries((hep() ?? nothing).lost)) report({ cause }, value);
      },
    },
  ];
}
