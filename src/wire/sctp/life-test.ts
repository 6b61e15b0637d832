// Whether the far end still has an association: the peer is asked, and judged by what came back within two seconds.
import type { Millis } from "../../domain/time.ts";

/** How long the far end has to show life. */
export const ANSWER_WITHIN: Millis = 2000;

/** The running test of one association. At most one runs at a time; later callers share its outcome. */
export interface LifeTest {
  readonly begin: (done: (isAlive: boolean) => void) => void;
  /** Notes that the association has ended: a running test, and every later one, finds it dead. */
  readonly end: () => void;
}

/**
 * Makes the test of one association.
 * @param ask sends something that a living peer answers, and remembers what has come so far
 * @param judge tells whether something came since; asked only while the association has not ended
 */
export function createLifeTest(ask: () => void, judge: () => boolean | Promise<boolean>): LifeTest {
  const waiting: ((isAlive: boolean) => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  /** The outcome comes in a later turn, whoever ends the association. */
  function settle(isAlive: boolean): void {
    clearTimeout(timer);
    timer = undefined;
    for (const done of waiting.splice(0)) setImmediate(done, isAlive);
  }

  async function look(): Promise<void> {
    const isAlive = await judge();
    if (!isOver) settle(isAlive);
  }

  return {
    begin(done) {
      if (isOver) {
        setImmediate(done, false);
        return;
      }
      waiting.push(done);
      if (waiting.length > 1) return;
      timer = setTimeout(() => void look(), ANSWER_WITHIN);
      ask();
    },
    end() {
      isOver = true;
      settle(false);
    },
  };
}
