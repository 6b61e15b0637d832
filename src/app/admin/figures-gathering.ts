// Gathers the figures of a scrape: the admin thread asks, and gives up when the call thread is silent.
import type { Millis } from "../../domain/time.ts";
import { type Figures, type FiguresPart, joinFigures } from "../../observe/figures.ts";

/** What a scrape got from the call thread. */
export type Gathered = Figures | "silent" | "failed";

/** Asks the call thread for figures, in the admin thread. */
export interface FiguresGathering {
  /** Resolves with the figures. Scrapes that come together share one gathering. */
  readonly gather: () => Promise<Gathered>;
  /** Takes a part; parts of a scrape that was given up are ignored. */
  readonly take: (scrape: number, part: FiguresPart | undefined, isLast: boolean) => void;
}

/** The call thread counts as silent when no part comes for this long. Milliseconds. */
const MOST_SILENCE: Millis = 2000;

/** Longest time of a whole gathering. Milliseconds. Prometheus gives up after 10 s. */
const MOST_TIME: Millis = 8000;

interface Gathering {
  readonly parts: FiguresPart[];
  readonly gathered: Promise<Gathered>;
  readonly silence: NodeJS.Timeout;
  readonly end: NodeJS.Timeout;
}

/** @param ask asks the call thread for the figures of a scrape. */
export function createFiguresGathering(ask: (scrape: number) => void): FiguresGathering {
  let scrape = 0;
  let current: Gathering | undefined;
  let resolve: ((gathered: Gathered) => void) | undefined;

  function settle(gathered: Gathered): void {
    if (current === undefined) return;
    clearTimeout(current.silence);
    clearTimeout(current.end);
    current = undefined;
    resolve?.(gathered);
  }

  const silent = (): void => settle("silent");

  function begin(): Gathering {
    const gathered = new Promise<Gathered>((resolved) => (resolve = resolved));
    ask(++scrape);
    return {
      parts: [],
      gathered,
      silence: setTimeout(silent, MOST_SILENCE),
      end: setTimeout(silent, MOST_TIME),
    };
  }

  return {
    gather: () => (current ??= begin()).gathered,
    take(of, part, isLast) {
      if (current === undefined || of !== scrape) return;
      if (part === undefined) {
        settle("failed");
        return;
      }
      current.parts.push(part);
      current.silence.refresh();
      if (isLast) settle(joinFigures(current.parts) ?? "failed");
    },
  };
}
