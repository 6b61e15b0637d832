// The metrics of traffic: what each trunk sent, what was decided, and what failed.
import { eachAttemptCount, eachRequestCount } from "./counters.ts";
import { labelledSeries, plainSeries, type Series } from "./series.ts";

/** What came from each trunk, and what was decided about it. */
const trunkSeries: readonly Series[] = [
  {
    kind: "counter",
    name: "sigwall_attempts_total",
    help: "Call attempts judged, by verdict, reason code and deciding rule; mode monitor counts findings that did not decide.",
    labels: ["trunk", "verdict", "reason", "rule", "mode"],
    read: eachAttemptCount,
  },
  {
    kind: "counter",
    name: "sigwall_requests_total",
    help: "Requests other than call attempts that were judged or refused, by method, verdict, reason code and deciding rule.",
    labels: ["trunk", "method", "verdict", "reason", "rule", "mode"],
    read: eachRequestCount,
  },
  {
    kind: "counter",
    name: "sigwall_display_names_removed_total",
    help: "Calls that went on without the display names of their callers.",
    labels: ["trunk"],
    read({ trunks }, report) {
      for (const [trunk, { namesRemoved }] of trunks) report({ trunk }, namesRemoved);
    },
  },
  {
    kind: "counter",
    name: "sigwall_retransmissions_total",
    help: "Repeats of a request that got the stored decision again.",
    labels: ["trunk"],
    read({ trunks }, report) {
      for (const [trunk, { retransmissions }] of trunks) report({ trunk }, retransmissions);
    },
  },
  {
    kind: "counter",
    name: "sigwall_forged_repeats_total",
    help: "Requests refused because they carry the key of a judged request and other content.",
    labels: ["trunk"],
    read({ trunks }, report) {
      for (const [trunk, { forgedRepeats }] of trunks) report({ trunk }, forgedRepeats);
    },
  },
  {
    kind: "counter",
    name: "sigwall_protocol_errors_total",
    help: "Answers that RFC 3261 asks of any proxy (400, 416, 420, 483 ...), by status.",
    labels: ["trunk", "status"],
    read({ trunks }, report) {
      for (const [trunk, { protocolErrors }] of trunks) {
        for (const [status, value] of protocolErrors) report({ trunk, status: String(status) }, value);
      }
    },
  },
  {
    kind: "counter",
    name: "sigwall_stray_requests_total",
    help: "ACK and CANCEL that belong to no INVITE that is remembered: passed to where it would have gone, or dropped.",
    labels: ["trunk", "method", "result"],
    read({ trunks }, report) {
      for (const [trunk, { strays }] of trunks) {
        for (const [key, value] of Object.entries(strays)) {
          const [method = "", result = ""] = key.split(" ");
          report({ trunk, method, result }, value);
        }
      }
    },
  },
];

/** What was not judged, not sent on, or went wrong on our side. */
const faultSeries: readonly Series[] = [
  plainSeries(
    "counter",
    "sigwall_unknown_source_messages_total",
    "Datagrams dropped unread because no trunk matches their source.",
    ({ general: { totals } }) => totals.unknownSource,
  ),
  plainSeries(
    "counter",
    "sigwall_not_sip_messages_total",
    "Datagrams of known sources that are not SIP.",
    ({ general: { totals } }) => totals.notSip,
  ),
  {
    kind: "counter",
    name: "sigwall_stray_responses_total",
    help: "Responses dropped because no request of ours asked for them, or asked another peer.",
    labels: ["trunk"],
    read({ trunks }, report) {
      for (const [trunk, { strayResponses }] of trunks) report({ trunk }, strayResponses);
    },
  },
  plainSeries(
    "counter",
    "sigwall_forwarded_messages_total",
    "Requests and responses sent on to the other side.",
    ({ general: { totals } }) => totals.forwarded,
  ),
  plainSeries(
    "counter",
    "sigwall_unsendable_messages_total",
    "Accepted messages that could not be sent on: too large, or no target.",
    ({ general: { totals } }) => totals.unsendable,
  ),
  plainSeries(
    "counter",
    "sigwall_faults_total",
    "Errors of our own caught at the edge of an engine.",
    ({ general: { totals } }) => totals.faults,
  ),
  labelledSeries(
    "counter",
    "sigwall_rule_faults_total",
    "Rules that failed by our own fault.",
    "rule",
    ({ general }) => Object.entries(general.ruleFaults),
  ),
  labelledSeries(
    "counter",
    "sigwall_table_full_total",
    "Calls that met a full table, so that the exception policy of their trunk applied; callBytes: they passed, and no order can end them.",
    "table",
    ({ general: { totals, tableFull } }) => [
      ["calls", totals.ledgerFull],
      ["callBytes", totals.callBytesFull],
      ["failovers", totals.failoversFull],
      ["transactions", totals.transactionsFull],
      ...Object.entries(tableFull),
    ],
  ),
];

/** TCP and TLS connections. */
const streamSeries: readonly Series[] = [
  labelledSeries(
    "counter",
    "sigwall_connections_total",
    "TCP and TLS connections by what came of them: accepted and refused those of peers, connected and failed our own.",
    "result",
    ({ general }) => Object.entries(general.totals.streams.results),
  ),
  labelledSeries(
    "counter",
    "sigwall_connections_closed_total",
    "TCP and TLS connections that ended, by the peer or by us and for what.",
    "reason",
    ({ general }) => Object.entries(general.totals.streams.closed),
  ),
  plainSeries(
    "gauge",
    "sigwall_connections_open",
    "TCP and TLS connections that are open.",
    ({ general }) => general.totals.streams.open,
  ),
  plainSeries(
    "gauge",
    "sigwall_connections_unread_bytes",
    "What waits for peers on TCP and TLS to read it.",
    ({ general }) => general.totals.streams.unread,
  ),
  plainSeries(
    "counter",
    "sigwall_undelivered_messages_total",
    "Messages that no connection could carry; requests among them were answered 503.",
    ({ general }) => general.totals.streams.undelivered,
  ),
  labelledSeries(
    "counter",
    "sigwall_tls_refusals_total",
    "TLS connections that came to nothing, by cause; the log names the peer.",
    "cause",
    ({ general }) => Object.entries(general.totals.streams.tlsRefused),
  ),
  plainSeries(
    "counter",
    "sigwall_transaction_timeouts_total",
    "Requests from a stream that a UDP hop never answered, so that 408 was said for it.",
    ({ general }) => general.totals.transactionTimeouts,
  ),
];

export const trafficSeries: readonly Series[] = [...trunkSeries, ...faultSeries, ...streamSeries];
