/** A typed column of unknown length: doubles its room when full. */
export interface GrowingColumn<Values> {
  /** Returns the index of the value. */
  push(value: number): number;
  count(): number;
  /** A view on what was pushed so far; what is pushed later may not show in it. */
  values(): Values;
}

const FIRST_ROOM = 16;

/** As much of a typed array as a column needs. */
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

/** A column of doubles: keys, bounds. */
export function createDoubleColumn(): GrowingColumn<Float64Array> {
  return createColumn((length) => new Float64Array(length));
}

/** A column of unsigned 32-bit words: lines, indexes. */
export function createWordColumn(): GrowingColumn<Uint32Array> {
  return createColumn((length) => new Uint32Array(length));
}
