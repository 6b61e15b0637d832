// The metrics of the record lines of calls.
import type { RecordsFigures } from "./figures.ts";
import { plainSeries, type Series } from "./series.ts";

const nothing: RecordsFigures = { isOk: true, lost: 0, bytes: 0 };

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
