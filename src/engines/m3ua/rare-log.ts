// A line of the log that a peer can cause as often as it likes: written at most once in ten seconds for each kind.
import type { Millis } from "../../domain/time.ts";

const EVERY: Millis = 10_000;
/** At most this many kinds are remembered. */
const MOST = 8;

/** Makes a log of which each kind of line is written at most once in ten seconds. The next one says how many were left out. */
export function createRareLog(
  now: () => Millis,
  write: (message: string) => void,
): (message: string, kind: string) => void {
  const kinds = new Map<string, { until: Millis; left: number }>();
  return (message, kind) => {
    const known = kinds.get(kind);
    if (known !== undefined && now() < known.until) {
      known.left++;
      return;
    }
    const left = known?.left ?? 0;
    if (kinds.size >= MOST) kinds.clear();
    kinds.set(kind, { until: now() + EVERY, left: 0 });
    write(left === 0 ? message : `${message} (and ${left} more since the last line)`);
  };
}
