// What ISUP messages of a capture say of calls that have begun: alerting, answer, release, reset.
import type { EndedBy } from "../domain/call.ts";
import type { Millis } from "../domain/time.ts";
import { IsupType, type IsupMessage } from "../ss7/isup.ts";
import { readReleaseCause, tellsAlerting } from "../ss7/isup-progress.ts";
import type { Msu } from "../ss7/mtp3.ts";
import { circuitKey } from "./capture-keys.ts";
import type { CapturedCalls, OpenCall } from "./captured-calls.ts";
import type { RelayedCopies } from "./relayed-copies.ts";

/** At most this many circuits in one group reset (Q.763 section 3.43). */
const MAX_GROUP = 256;

/** Takes any message of a circuit but IAMs. What belongs to no call that was seen to begin changes nothing. Never throws. */
export function followIsup(
  calls: CapturedCalls,
  copies: RelayedCopies,
  { opc, dpc, cic, end }: Msu,
  message: IsupMessage,
  now: Millis,
): void {
  const { rows } = calls;
  /** The call whose called party is at the exchange that sends. */
  const called = (): OpenCall | undefined => calls.find(circuitKey(dpc, opc, cic));

  /** Ends the calls of a circuit, in whichever direction they were set up. */
  function endAll(circuit: number, finish: (call: OpenCall, by: EndedBy) => void): void {
    const own = circuitKey(opc, dpc, circuit);
    const other = circuitKey(dpc, opc, circuit);
    for (const key of [own, other]) {
      copies.forget(key);
      const call = calls.find(key);
      if (call !== undefined) finish(call, key === own ? "caller" : "called");
    }
  }
  const lose = (call: OpenCall, by: EndedBy): void => rows.ended(call.slot, { by, how: "lost" }, now);

  switch (message.type) {
    case IsupType.acm:
    case IsupType.cpg: {
      const call = called();
      if (call !== undefined)
        rows.provisional(call.slot, tellsAlerting(message.bytes, message.start, end), now);
      break;
    }
    case IsupType.con:
    case IsupType.anm: {
      const call = called();
      if (call !== undefined) rows.answered(call.slot, "", 0, now);
      break;
    }
    case IsupType.rel: {
      const cause = readReleaseCause(message);
      endAll(cic, ({ slot }, by) => {
        const isAnswered = rows.stateOf(slot) === "answered";
        const how = isAnswered ? "released" : by === "caller" ? "cancelled" : "refused";
        rows.ended(slot, { by, how, ...(cause === undefined ? {} : { cause }) }, now);
      });
      break;
    }
    case IsupType.rlc:
      // The capture has not the REL: who released the call, and why, can't be told.
      endAll(cic, (call) => calls.forget(call, now));
      break;
    case IsupType.rsc:
      endAll(cic, lose);
      break;
    case IsupType.grs: {
      const at = message.variableStart;
      const range = at >= 0 && at < message.variableEnd ? message.bytes[at]! : 0;
      for (let i = 0; i <= Math.min(range, MAX_GROUP); i++) endAll(cic + i, lose);
      break;
    }
    default:
  }
}
