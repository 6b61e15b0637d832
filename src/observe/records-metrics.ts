// The metrics of the record lines of calls.
import type { RecordsFigures } from "./figures.ts";
import { labelledSeries, plainSeries, type Series } from "./series.ts";

const nothing: RecordsFigures = {
  isOk: true,
  lost: 0,
  bytes: 0,
  evidence: { isOk: true, full: 0, beyond: 0, disk: 0, late: 0, peers: {} },
};

/** The record lines; without records nothing is lost, and the gauge of their state is left out. */
export const recordsSeries: readonly Series[] = [
  plainSeries(
    "counter",
    "sigwall_records_lost_total",
    "Events of calls that have no record line: memory was full while nothing could be written.",
    ({ general: { records = nothing } }) => records.lost,
  ),
  plainSeries(
    "gauge",
    "sigwall_records_bytes",
    "Octets of the files in the records folder.",
    ({ general: { records = nothing } }) => records.bytes,
  ),
  labelledSeries(
    "counter",
    "sigwall_evidence_lost_total",
    "Messages that should be evidence and are not, by cause; late: answered before the disk had them.",
    "cause",
    ({ general: { records = nothing } }) => {
      const { full, beyond, disk, late } = records.evidence;
      return Object.entries({ memory: full, budget: beyond, disk, late });
    },
  ),
  labelledSeries(
    "counter",
    "sigwall_peer_checkpoints_total",
    "Checkpoints of the evidence of other nodes, by what became of them; kept: one more that a roll-back there would show against.",
    "result",
    ({ general: { records = nothing } }) => Object.entries(records.evidence.peers),
  ),
  labelledSeries(
    "counter",
    "sigwall_seals_total",
    "Hourly sealings of the records into Parquet, by result. A sealing that failed is tried again.",
    "result",
    ({ general: { seals } }) => Object.entries(seals ?? {}),
  ),
  {
    kind: "gauge",
    name: "sigwall_records_ok",
    help: "1 while record lines can be written; 0: look at the disk.",
    labels: [],
    read({ general: { records } }, report) {
      if (records !== undefined) report({}, records.isOk ? 1 : 0);
    },
  },
];
