// What happens next: actors by the time of their next turn.

/** An actor has its turn at a time; it answers the time of its next turn, or a negative number when it is done. */
export type Actor = (now: number) => number;

/** Time and place of a turn are one double: time × PLACES + place. A day has 2^27 milliseconds. */
const PLACES = 2 ** 25;

export interface Agenda {
  /** Gives an actor a turn at `at`. At one time, turns come by the place that an actor got. */
  add(at: number, actor: Actor): void;
  /** Runs the next turn. Returns its time; a negative number when nothing is left. */
  turn(): number;
  /** Time of the next turn; Infinity when nothing is left. */
  next(): number;
  /** Actors that wait. */
  readonly size: () => number;
  /** The most that ever waited. */
  readonly most: () => number;
}

export function createAgenda(): Agenda {
  let heap = new Float64Array(1024);
  let size = 0;
  let most = 0;
  const actors: (Actor | undefined)[] = [];
  const free: number[] = [];

  function push(key: number): void {
    if (size === heap.length) {
      const larger = new Float64Array(size * 2);
      larger.set(heap);
      heap = larger;
    }
    size += 1;
    if (size > most) most = size;
    siftUp(size - 1, key);
  }

  function siftUp(from: number, key: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      const value = heap[parent] ?? 0;
      if (value <= key) break;
      heap[at] = value;
      at = parent;
    }
    heap[at] = key;
  }

  /** Puts a key where the first one was. */
  function replaceFirst(key: number): void {
    let at = 0;
    for (let child = 1; child < size; child = at * 4 + 1) {
      let least = child;
      let value = heap[child] ?? 0;
      const end = child + 4 < size ? child + 4 : size;
      for (let other = child + 1; other < end; other += 1) {
        const candidate = heap[other] ?? 0;
        if (candidate < value) {
          least = other;
          value = candidate;
        }
      }
      if (value >= key) break;
      heap[at] = value;
      at = least;
    }
    heap[at] = key;
  }

  function removeFirst(): void {
    size -= 1;
    if (size > 0) replaceFirst(heap[size] ?? 0);
  }

  return {
    add(at, actor) {
      const place = free.pop() ?? actors.length;
      actors[place] = actor;
      push(Math.floor(at) * PLACES + place);
    },
    turn() {
      if (size === 0) return -1;
      const first = heap[0] ?? 0;
      const now = Math.floor(first / PLACES);
      const place = first - now * PLACES;
      // The key is out before the actor adds others: the heap may not be held over its turn.
      removeFirst();
      const next = actors[place]?.(now) ?? -1;
      if (next < 0) {
        actors[place] = undefined;
        free.push(place);
      } else push(Math.floor(next < now ? now : next) * PLACES + place);
      return now;
    },
    next: () => (size === 0 ? Infinity : Math.floor((heap[0] ?? 0) / PLACES)),
    size: () => size,
    most: () => most,
  };
}
