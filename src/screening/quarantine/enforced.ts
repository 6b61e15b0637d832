// Whose entries of the quarantine a policy enforces, and the filling of a quarantine with what was kept.
import type { DetectorMode } from "../../domain/finding.ts";
import type { Millis } from "../../domain/time.ts";
import type { Held, Holder } from "../../state/quarantine/held.ts";
import type { QuarantineTable } from "../../state/quarantine/quarantine-table.ts";
import type { DetectorSettings } from "../detectors/detector.ts";

/** The mode under which entries of a holder stand: orders hold whatever the policy says. */
export function modeOfHolder(holder: Holder, detectors: DetectorSettings): DetectorMode {
  return holder === "command" ? "enforce" : (detectors.get(holder)?.mode ?? "off");
}

/** Lets the policy say whose entries bind from now on. */
export function followPolicy(table: QuarantineTable, detectors: DetectorSettings): void {
  table.follow((holder) => modeOfHolder(holder, detectors) === "enforce");
}

/** Puts in force what was kept. */
export function fillQuarantine(
  table: QuarantineTable,
  kept: readonly Held[],
  detectors: DetectorSettings,
  at: Millis,
): void {
  followPolicy(table, detectors);
  for (const held of kept) table.put(held, at);
}
