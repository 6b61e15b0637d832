// Virtual time: what is planned, in its order.
/** What is to happen, by time: a binary heap. What falls at the same time happens in the order in which it was planned. */
export interface Timeline {
  readonly now: number;
  at(time: number, step: () => void): void;
  after(millis: number, step: () => void): void;
  /** Runs everything up to `end`. */
  run(end: number): void;
}

interface Planned {
  readonly time: number;
  readonly order: number;
  readonly step: () => void;
}

const isBefore = (a: Planned, b: Planned): boolean =>
  a.time < b.time || (a.time === b.time && a.order < b.order);

export function createTimeline(start: number): Timeline {
  const heap: Planned[] = [];
  let order = 0;
  let now = start;

  const push = (planned: Planned): void => {
    let at = heap.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above]!;
      if (!isBefore(planned, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = planned;
  };

  const pop = (): Planned => {
    const top = heap[0]!;
    const last = heap.pop()!;
    const { length } = heap;
    if (length === 0) return top;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= length) break;
      if (below + 1 < length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return top;
  };

  const at = (time: number, step: () => void): void =>
    push({ time: Math.max(time, now), order: order++, step });

  return {
    get now() {
      return now;
    },
    at,
    after: (millis, step) => at(now + millis, step),
    run(end) {
      while (heap.length > 0 && heap[0]!.time <= end) {
        const { time, step } = pop();
        now = time;
        step();
      }
      now = end;
    },
  };
}
