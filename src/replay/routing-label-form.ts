// Learns from a capture whether its point codes have 14 or 24 bits.
import { createIsupMessage, IsupType, isIsupType, readIsup } from "../ss7/isup.ts";
import { readCalled } from "../ss7/isup-number.ts";
import { isCallControl, readCircuit, readMtp3, type LabelLength, type Msu } from "../ss7/mtp3.ts";

/** How well a unit reads with a label of some length. */
const Fit = { none: 0, message: 1, call: 2 } as const;

/** Reads MTP3 units whose label length is not given: 14-bit or 24-bit point codes. */
export interface RoutingLabelForm {
  /**
   * Fills `msu` from the unit `bytes[start, end)`.
   * @returns false when the unit is not call control
   */
  read(msu: Msu, bytes: Buffer, start: number, end: number): boolean;
}

/**
 * Makes a reader that assumes 14 bits until a call reads only with 24 bits. What it learns holds
 * for the whole capture.
 */
export function createRoutingLabelForm(): RoutingLabelForm {
  const view = createIsupMessage();
  let usual: LabelLength = 4;
  let isLearned = false;

  function fit(msu: Msu, bytes: Buffer, start: number, end: number, label: LabelLength): number {
    if (!readMtp3(msu, bytes, start, end, label)) return Fit.none;
    const type = readCircuit(msu);
    if (type < 0 || !isIsupType(msu.bytes[type]!) || !readIsup(view, "itu", msu.bytes, type, msu.end))
      return Fit.none;
    if (view.type !== IsupType.iam) return Fit.message;
    const called = readCalled(view.bytes, view.variableStart, view.variableEnd);
    const isCall =
      typeof called !== "string" && called.digits !== "" && called.plan === 1 && called.nature !== 0;
    return isCall ? Fit.call : Fit.none;
  }

  function read(msu: Msu, bytes: Buffer, start: number, end: number): boolean {
    if (!readMtp3(msu, bytes, start, end, 4) || !isCallControl(msu)) return false;
    const own = fit(msu, bytes, start, end, usual);
    if (own === Fit.call) isLearned = true;
    if (own === Fit.call || (own === Fit.message && isLearned)) return true;
    const other: LabelLength = usual === 4 ? 7 : 4;
    if (fit(msu, bytes, start, end, other) > own) {
      if (!isLearned) usual = other;
      return true;
    }
    return readMtp3(msu, bytes, start, end, usual);
  }

  return { read };
}
