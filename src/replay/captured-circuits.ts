// Tells repeated IAMs of a capture from those that begin a call.
import type { SignallingPath } from "../domain/attempt.ts";
import { IsupType, type IsupMessage } from "../ss7/isup.ts";
import type { Msu } from "../ss7/mtp3.ts";

/** At most this many circuits are remembered; the one seized first is forgotten first. */
const MAX_CIRCUITS = 65_536;
/** At most this many sightings of one call: both directions, and some hops. */
const MAX_SIGHTINGS = 8;
/** At most this many circuits in one group reset (Q.763 section 3.43). */
const MAX_GROUP = 256;

interface SeenSeizure {
  readonly path: string;
  readonly bytes: string;
  readonly frame: number;
}

/** Tells repeated IAMs of a capture from those that begin a call. */
export interface CapturedCircuits {
  /**
   * Takes an IAM.
   * @returns the number of the frame that it repeats; undefined when it begins a call
   */
  seize(msu: Msu, message: IsupMessage, path: SignallingPath, frame: number): number | undefined;
  /** Takes any other message of a circuit. After a release or reset, nothing can be repeated. */
  follow(msu: Msu, message: IsupMessage): void;
}

/** Returns the key of a circuit, the same for both directions. */
function keyOf({ opc, dpc, cic }: Msu, offset = 0): string {
  return opc < dpc ? `${opc} ${dpc} ${cic + offset}` : `${dpc} ${opc} ${cic + offset}`;
}

/**
 * Makes an empty table. An IAM repeats another when it has the same octets and routing label on the
 * same path, and the circuit was not released or reset in between. An exchange never seizes a
 * circuit twice (Q.764 section 2.10.3).
 */
export function createCapturedCircuits(): CapturedCircuits {
  const circuits = new Map<string, SeenSeizure[]>();

  function seize(msu: Msu, message: IsupMessage, path: SignallingPath, frame: number): number | undefined {
    const key = keyOf(msu);
    const from = `${path.sourceAddress} ${path.sourcePort} ${path.destinationAddress} ${path.destinationPort} ${msu.opc}`;
    const bytes = message.bytes.toString("latin1", message.start, message.end);
    let sightings = circuits.get(key);
    if (sightings === undefined) {
      sightings = [];
      if (circuits.size >= MAX_CIRCUITS)
        for (const oldest of circuits.keys()) if (circuits.delete(oldest)) break;
      circuits.set(key, sightings);
    }
    const same = sightings.find((sighting) => sighting.path === from && sighting.bytes === bytes);
    if (same !== undefined) return same.frame;
    if (sightings.length >= MAX_SIGHTINGS) sightings.shift();
    sightings.push({ path: from, bytes, frame });
    return undefined;
  }

  function follow(msu: Msu, message: IsupMessage): void {
    switch (message.type) {
      case IsupType.rel:
      case IsupType.rlc:
      case IsupType.rsc:
        circuits.delete(keyOf(msu));
        break;
      case IsupType.grs: {
        const at = message.variableStart;
        const range = at >= 0 && at < message.variableEnd ? message.bytes[at]! : 0;
        for (let i = 0; i <= Math.min(range, MAX_GROUP); i += 1) circuits.delete(keyOf(msu, i));
        break;
      }
      default:
    }
  }

  return { seize, follow };
}
