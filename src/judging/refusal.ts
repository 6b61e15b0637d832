// The SIP status and the Reason field of a refusal.
import { causeOf, type ReasonCode, statusOf } from "../domain/reason.ts";
import type { Trunk } from "../domain/trunk.ts";

/** Value of the Reason field of a refusal; undefined: it has none. */
export function causeField(reason: ReasonCode): string | undefined {
  const cause = causeOf(reason);
  return cause === undefined ? undefined : `Q.850;cause=${cause};text="Call rejected"`;
}

/** The SIP status of a reason on a trunk: its own override, or the table's. */
export function refusalStatus(trunk: Trunk, reason: ReasonCode): number {
  return trunk.status.get(reason) ?? statusOf(reason);
}
