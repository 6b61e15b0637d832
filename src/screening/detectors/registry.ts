// The detectors of the program, a line each.
import { blockDialling } from "./block-dialling.ts";
import { callBombing } from "./call-bombing.ts";
import type { DetectorForm } from "./detector.ts";
import { oneRing } from "./one-ring.ts";
import { shortCalls } from "./short-calls.ts";
import { spread } from "./spread.ts";
import { subLease } from "./sub-lease.ts";
import { twoPlaces } from "./two-places.ts";

export const detectorForms: readonly DetectorForm[] = [
  oneRing,
  callBombing,
  blockDialling,
  shortCalls,
  spread,
  twoPlaces,
  subLease,
];
