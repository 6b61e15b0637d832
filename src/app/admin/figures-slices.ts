// Sends the figures of a scrape out of the call thread, one slice in each turn of its event loop.
import { readFigures, type FigureSources, type FiguresPart } from "../../observe/figures.ts";

/** Answers scrapes from the call thread. */
export interface FiguresSlices {
  /** Begins to answer `scrape`; an answer under way is given up. */
  readonly answer: (scrape: number) => void;
  readonly stop: () => void;
}

/** Sends one part; undefined: the figures can't be read. */
type SendPart = (scrape: number, part: FiguresPart | undefined, isLast: boolean) => void;

/**
 * Sends the figures in slices, one in each turn of the event loop, so that messages of calls pass between them.
 * Invariant: a part is cloned by `send` in the turn that read it.
 */
export function sliceFigures(
  sources: FigureSources,
  send: SendPart,
  fault: (error: unknown) => void,
): FiguresSlices {
  let next: NodeJS.Immediate | undefined;

  function sendNext(scrape: number, parts: ReturnType<typeof readFigures>): void {
    next = undefined;
    try {
      const { done, value } = parts.next();
      send(scrape, done === true ? {} : (value ?? {}), done === true);
      if (done !== true) next = setImmediate(sendNext, scrape, parts);
    } catch (error) {
      fault(error);
      send(scrape, undefined, true);
    }
  }

  const stop = (): void => clearImmediate(next);
  return {
    answer(scrape) {
      stop();
      sendNext(scrape, readFigures(sources));
    },
    stop,
  };
}
