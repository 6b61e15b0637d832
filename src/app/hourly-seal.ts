// Seals the records once an hour in a child process, whose failure is counted, told and tried again.
import type { Millis } from "../domain/time.ts";
import { startQuietly } from "./children/quiet-child.ts";

/** A child process that seals. */
export interface SealingChild {
  /** Resolves when the child has ended: its exit code, or the signal that ended it, and what it wrote to standard error. */
  readonly ended: Promise<{ readonly code: number | string; readonly said: string }>;
  /** Resident memory in octets; 0 when it can't be told. */
  readonly memory: () => number;
  readonly kill: () => void;
}

/** The clock and the timers. */
export interface SealClock {
  /** Unix milliseconds. */
  readonly now: () => Millis;
  /** Calls `run` once, after so many milliseconds. Never keeps the process alive. */
  readonly after: (delay: Millis, run: () => void) => { readonly stop: () => void };
}

/** The outcome of one sealing. */
export interface SealResult {
  readonly result: "ok" | "failed";
  /** Why it failed; undefined: it did not. */
  readonly why: string | undefined;
  /** Milliseconds. */
  readonly took: Millis;
}

export interface HourlySealParts {
  readonly start: () => SealingChild;
  readonly clock: SealClock;
  /** Takes the outcome of each sealing. */
  readonly told: (result: SealResult) => void;
}

/** Sealing every hour. */
export interface HourlySeal {
  /** Sealings by outcome, for metrics. */
  readonly counts: () => { readonly ok: number; readonly failed: number };
  /** Ends a child that runs. */
  readonly close: () => void;
}

const HOUR: Millis = 3_600_000;
/** The child starts so long after the end of an hour: by then the hour is closed. */
const AFTER_HOUR: Millis = 7 * 60_000;
/** A sealing that failed is tried again after so long. */
const AGAIN: Millis = 10 * 60_000;
/** Longest time of a child. */
const MOST_TIME: Millis = 30 * 60_000;
/** Most resident memory of a child, in octets. */
const MOST_MEMORY = 1e9;
const LOOK: Millis = 500;

/**
 * Starts a child soon after each hour. At most one child runs. A call never waits for it: nothing but timers runs in this
 * process.
 */
export function startHourlySeal({ start, clock, told }: HourlySealParts): HourlySeal {
  const counts = { ok: 0, failed: 0 };
  let child: SealingChild | undefined;
  let timer: { readonly stop: () => void } | undefined;
  let isClosed = false;

  function wait(delay: Millis): void {
    if (!isClosed) timer = clock.after(delay, () => void run());
  }

  async function run(): Promise<void> {
    const begin = clock.now();
    const why = await seal(begin);
    if (isClosed) return;
    const result = why === undefined ? "ok" : "failed";
    counts[result]++;
    told({ result, why, took: clock.now() - begin });
    const next = untilNext(clock.now());
    wait(why === undefined ? next : Math.min(AGAIN, next));
  }

  /** @returns resolves with why it failed */
  async function seal(begin: Millis): Promise<string | undefined> {
    let ended: Awaited<SealingChild["ended"]>;
    let limit: string | undefined;
    let watch: { readonly stop: () => void } | undefined;
    try {
      const started = start();
      child = started;
      const look = (): void => {
        limit ??= findExcess(started.memory(), clock.now() - begin);
        if (limit === undefined) watch = clock.after(LOOK, look);
        else started.kill();
      };
      look();
      ended = await started.ended;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      watch?.stop();
      child = undefined;
    }
    if (limit !== undefined) return limit;
    if (ended.code === 0) return undefined;
    const said = ended.said.trim();
    return `it ended with ${ended.code}${said === "" ? "" : `: ${said}`}`;
  }

  wait(untilNext(clock.now()));
  return {
    counts: () => counts,
    close() {
      isClosed = true;
      timer?.stop();
      child?.kill();
    },
  };
}

/** The time until the next hour has been over for long enough. */
function untilNext(now: Millis): Millis {
  return HOUR - ((((now - AFTER_HOUR) % HOUR) + HOUR) % HOUR);
}

function findExcess(memory: number, took: Millis): string | undefined {
  if (memory > MOST_MEMORY) return `it took more than ${MOST_MEMORY / 1e6} MB of memory and was ended`;
  return took > MOST_TIME ? `it took more than ${MOST_TIME / 60_000} minutes and was ended` : undefined;
}

/**
 * Starts `sigwall seal` in a process of the lowest priority.
 *
 * @param program path of `main.js`
 * @param records the records folder
 * @param config path of `sigwall.yaml`, which says what else is kept
 */
export function startSealing(program: string, records: string, config: string): SealingChild {
  const args = ["--max-old-space-size=256", program, "seal", "--records", records, "--config", config];
  const { ended, memory, kill } = startQuietly(args);
  return { ended: ended.then(({ code, said }) => ({ code, said })), memory, kill };
}

/** The clock of the machine. `now` is given, because few files read the wall clock. */
export function createSealClock(now: () => Millis): SealClock {
  return {
    now,
    after(delay, run) {
      const timer = setTimeout(run, delay).unref();
      return { stop: () => clearTimeout(timer) };
    },
  };
}
