// The SIP status and the Reason field of a refusal.
import { causeOf, type ReasonCode, statusOf } from "../domain/reason.ts";
import type { Trunk } from "../domain/trunk.ts";

/** Value of the Reason field of a refusal; undefined: it has none. */
export function causeField(reason: ReasonCode): string | undefined {
  const cause = causeOf(reason);
  return cause === undefined ? undefined : `Q.850;cause=${cause};text="Call rejected"`;
}

const causeLines = new Map<ReasonCode, string>();

/** The line of the Reason field of a refusal with its CRLF; "": it has none. */
export function causeLine(reason: ReasonCode): string {
  let line = causeLines.get(reason);
  if (line === undefined) {
    const cause = causeField(reason);
    line = cause === undefined ? "" : `Reason: ${cause}\r\n`;
    causeLines.set(reason, line);
  }
  return line;
}

/** The SIP status of a reason on a trunk: its own override, or the table's. */
export function refusalStatus(trunk: Trunk, reason: ReasonCode): number {
  return trunk.status.get(reason) ?? statusOf(reason);
}
