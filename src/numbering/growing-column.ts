/** A typed column of unknown length: doubles its room when full. */
export interface GrowingColumn<Values> {
  /** Returns the index of the value. */
  push(value: number): number;
  count(): number;
  /** A view on what was pushed so far; what is pushed later may not show in it. */
  values(): Values;
}

const FIRST_ROOM = 16;

/** A column of doubles: keys, bounds. */
export function createDoubleColumn(): GrowingColumn<Float64Array> {
  let room = new Float64Array(FIRST_ROOM);
  let count = 0;
  return {
    push(value) {
      if (count === room.length) {
        const wider = new Float64Array(count * 2);
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

/** A column of unsigned 32-bit words: lines, indexes. */
export function createWordColumn(): GrowingColumn<Uint32Array> {
  let room = new Uint32Array(FIRST_ROOM);
  let count = 0;
  return {
    push(value) {
      if (count === room.length) {
        const wider = new Uint32Array(count * 2);
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
