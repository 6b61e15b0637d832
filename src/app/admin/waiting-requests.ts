// Requests of the admin thread that wait for an answer of the call thread.

/** Requests by number, each with the promise of its answer. */
export interface Waiting<Answer> {
  /** Sends the request. Resolves with the answer; undefined: it failed by a fault of our own. */
  readonly ask: (send: (request: number) => void) => Promise<Answer | undefined>;
  readonly take: (request: number, answer: Answer | undefined) => void;
}

export function createWaiting<Answer>(): Waiting<Answer> {
  const waiting = new Map<number, (answer: Answer | undefined) => void>();
  let count = 0;
  return {
    ask(send) {
      const request = ++count;
      return new Promise((resolve) => {
        waiting.set(request, resolve);
        send(request);
      });
    },
    take(request, answer) {
      waiting.get(request)?.(answer);
      waiting.delete(request);
    },
  };
}
