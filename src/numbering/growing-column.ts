// Typed columns that grow while a number list is read, before the set is built.

/** A typed column of unknown length. It doubles its room when it is full. */
export interface GrowingColumn<Values> {
  /** @returns the index of the value */
  push(value: number): number;
  count(): number;
  /** @returns a view of the values pushed so far; later values may not appear in it */
  values(): Values;
}

const FIRST_ROOM = 16;

/** The part of a typed array that a column needs. */
interface TypedArrayOf<Values> {
  [index: number]: number;
  set(values: Values): void;
  subarray(start: number, end: number): Values;
}

function createColumn<Values extends TypedArrayOf<Values>>(
  allocate: (length: number) => Values,
): GrowingColumn<Values> {
  let size = FIRST_ROOM;
  let room = allocate(size);
  let count = 0;
  return {
    push(value) {
      if (count === size) {
        size *= 2;
        const wider = allocate(size);
        wider.set(room);
        room = wider;
      }
      room[count] = value;
      return count++;
    },
    count: () => count,
    values: () => room.subarray(0, count),
  };
}

/** Creates a column of doubles, for keys and bounds. */
export function createDoubleColumn(): GrowingColumn<Float64Array> {
  return createColumn((length) => new Float64Array(length));
}

/** Creates a column of unsigned 32-bit words, for lines and indexes. */
export function createWordColumn(): GrowingColumn<Uint32Array> {
  return createColumn((length) => new Uint32Array(length));
}
