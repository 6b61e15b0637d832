// The progress bar of a command that reads a large capture.
import cliProgress from "cli-progress";

/** A progress bar on a terminal, cleared while lines are printed. Elsewhere it does nothing. */
export interface Progress {
  at(bytes: number): void;
  clear(): void;
}

/** A stream of text; `isTTY` says that a person reads it. */
interface ProgressStream {
  readonly isTTY?: boolean;
}

/** A capture with fewer bytes needs no progress bar. */
const WORTH_PROGRESS = 32 << 20;

export const noProgress: Progress = { at() {}, clear() {} };

/**
 * Makes the bar of a file with `total` bytes, on standard error.
 *
 * @param now monotonic milliseconds
 */
export function createProgress(
  stream: ProgressStream,
  name: string,
  total: number,
  now: () => number = () => performance.now(),
): Progress {
  if (stream.isTTY !== true || total < WORTH_PROGRESS) return noProgress;
  const bar = new cliProgress.SingleBar({
    stream: process.stderr,
    format: `${name} {bar} {percentage}% | {left} left`,
    clearOnComplete: true,
    hideCursor: true,
  });
  const begun = now();
  let shown = false;
  return {
    at(bytes) {
      // The bar starts anew behind every printed line and then has seen nothing to estimate from.
      const left = sayLeft(timeLeft(total, bytes, now() - begun));
      if (shown) bar.update(bytes, { left });
      else bar.start(total, bytes, { left });
      shown = true;
    },
    clear() {
      if (shown) bar.stop();
      shown = false;
    },
  };
}

/** Milliseconds until all is read, at the speed of before. Infinity before anything is read. */
export function timeLeft(total: number, done: number, elapsed: number): number {
  return done <= 0 ? Infinity : Math.max(0, ((total - done) / done) * elapsed);
}

/** Milliseconds in words: "8 s", "2 min 5 s", "1 h 2 min". */
export function sayLeft(millis: number): string {
  if (!Number.isFinite(millis)) return "?";
  const seconds = Math.ceil(millis / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
