// The metrics of the M3UA relay.
import { plainSeries, type Series } from "./series.ts";
import type { Ss7Counters } from "./ss7-counters.ts";

/** Everything about the M3UA relay. */
export const ss7Series: readonly Series[] = [
  plain(
    "counter",
    "sigwall_ss7_relayed_messages_total",
    "M3UA messages sent on as they came.",
    (ss7) => ss7.relayed,
  ),
  {
    kind: "counter",
    name: "sigwall_ss7_dropped_messages_total",
    help: "M3UA messages not sent on: malformed, of a user part that can't be judged, of a refused call, stray, or from point codes of no trunk.",
    labels: ["reason"],
    read({ general: { totals } }, report) {
      const { ss7 } = totals;
      report({ reason: "malformed" }, ss7.malformed);
      report({ reason: "user-part" }, ss7.userPart);
      report({ reason: "refused-call" }, ss7.absorbed);
      report({ reason: "stray" }, ss7.stray);
      report({ reason: "unknown-route" }, ss7.unknownRoute);
      report({ reason: "service-indicator" }, ss7.serviceIndicator);
    },
  },
  plain(
    "counter",
    "sigwall_ss7_released_total",
    "REL sent for refused calls, without repeats.",
    (ss7) => ss7.released,
  ),
  plain(
    "counter",
    "sigwall_ss7_repeated_total",
    "REL and RSC sent again because no RLC came.",
    (ss7) => ss7.repeated,
  ),
  plain(
    "counter",
    "sigwall_ss7_unanswered_circuits_total",
    "Circuits reset because REL was not answered for 5 minutes.",
    (ss7) => ss7.unanswered,
  ),
  plain(
    "counter",
    "sigwall_ss7_dual_seizures_total",
    "Refused calls that met a call of the other exchange on the same circuit.",
    (ss7) => ss7.dualSeizures,
  ),
  plain(
    "counter",
    "sigwall_ss7_forgotten_refusals_total",
    "Refusals forgotten because of a reset, an exchange that is unavailable, or a lost association.",
    (ss7) => ss7.forgotten,
  ),
  plain(
    "counter",
    "sigwall_ss7_circuits_full_total",
    "Refusals that found no room to be remembered.",
    (ss7) => ss7.circuitsFull,
  ),
  plain("gauge", "sigwall_ss7_calls", "Calls on circuits that are known.", (ss7) => ss7.calls),
  plain("gauge", "sigwall_ss7_refusals", "Refused calls that wait for their end.", (ss7) => ss7.refusals),
  plain("gauge", "sigwall_ss7_links", "Pairs of associations that are configured.", (ss7) => ss7.links),
  plain(
    "gauge",
    "sigwall_ss7_links_up",
    "Pairs of associations that are up.",
    (ss7) => ss7.linksUp - ss7.linksDown,
  ),
  plain(
    "counter",
    "sigwall_ss7_links_lost_total",
    "Pairs of associations that went down.",
    (ss7) => ss7.linksDown,
  ),
  plain(
    "gauge",
    "sigwall_ss7_paths_down",
    "Paths of SCTP associations that are down.",
    (ss7) => ss7.pathsDown,
  ),
  plain(
    "counter",
    "sigwall_ss7_paths_lost_total",
    "Paths of SCTP associations that went down.",
    (ss7) => ss7.pathsLost,
  ),
  {
    kind: "counter",
    name: "sigwall_ss7_associations_refused_total",
    help: "Associations refused: from strangers, or second ones of a peer that answers on the one it has.",
    labels: ["reason"],
    read({ general: { totals } }, report) {
      report({ reason: "stranger" }, totals.ss7.strangers);
      report({ reason: "second" }, totals.ss7.seconds);
    },
  },
  {
    kind: "counter",
    name: "sigwall_ss7_payload_protocol_total",
    help: "Messages by SCTP without the payload protocol identifier of M3UA: host-order ones are read, foreign ones are not.",
    labels: ["kind"],
    read({ general: { totals } }, report) {
      report({ kind: "host-order" }, totals.ss7.hostOrder);
      report({ kind: "foreign" }, totals.ss7.foreign);
    },
  },
];

function plain(kind: Series["kind"], name: string, help: string, read: (ss7: Ss7Counters) => number): Series {
  return plainSeries(kind, name, help, ({ general }) => read(general.totals.ss7));
}
