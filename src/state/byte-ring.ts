// A ring of octets in shared memory: one thread writes frames, another thread reads them, and neither waits.

/** The shared memory of a ring. Both threads open it. */
export interface RingMemory {
  /** Cells of 32 bits: see the constants below, and {@link FREE_CELLS} for the owner of the ring. */
  readonly cells: Int32Array<SharedArrayBuffer>;
  readonly octets: Uint8Array<SharedArrayBuffer>;
}

/** Position behind the newest frame, modulo 2^32. Only the writing thread changes it. */
const HEAD = 0;
/** Position behind the last frame that was released, modulo 2^32. Only the reading thread changes it. */
const TAIL = 1;
/** The first cell that is free for other uses. */
export const FREE_CELLS = 2;

/** Octets of the length in front of a frame. Frames begin at multiples of it. */
const LENGTH = 4;
/** A length that says: the next frame is at the beginning of the ring. */
const AT_BEGINNING = 0xffff_ffff;

/**
 * @param capacity octets; a power of two, at most 2^30, and at least four times the longest frame
 * @param cells how many cells beside those of the ring
 */
export function createRingMemory(capacity: number, cells = 0): RingMemory {
  return {
    cells: new Int32Array(new SharedArrayBuffer((FREE_CELLS + cells) * Int32Array.BYTES_PER_ELEMENT)),
    octets: new Uint8Array(new SharedArrayBuffer(capacity)),
  };
}

/** The writing thread's side. */
export interface RingWriter {
  /**
   * Finds room for a frame of at most `longest` octets.
   *
   * @returns the place in `octets` where the frame is to be written, or -1: there is no room
   */
  readonly begin: () => number;
  /** Hands over the frame that was written at the place that {@link RingWriter.begin} gave. */
  readonly commit: (length: number) => void;
  /** True when a frame of the longest length finds room. */
  readonly hasRoom: () => boolean;
  /** The share of the ring that is in use, 0 to 1. */
  readonly used: () => number;
  /** The position up to which the reading thread has given back room. */
  readonly released: () => number;
}

/** @param longest octets of the longest frame */
export function writeRing({ cells, octets }: RingMemory, longest: number): RingWriter {
  const capacity = octets.length;
  const mask = capacity - 1;
  const view = new DataView(octets.buffer);
  const room = longest + LENGTH;
  let head = Atomics.load(cells, HEAD) >>> 0;

  const usedOctets = (): number => (head - Atomics.load(cells, TAIL)) >>> 0;
  /** Octets up to the end of the ring that are left out, because a frame does not fit there. */
  const leftOut = (): number => {
    const rest = capacity - (head & mask);
    return rest < room ? rest : 0;
  };
  const hasRoom = (): boolean => usedOctets() + leftOut() + room <= capacity;

  return {
    begin() {
      const skipped = leftOut();
      if (usedOctets() + skipped + room > capacity) return -1;
      if (skipped > 0) {
        view.setUint32(head & mask, AT_BEGINNING, true);
        head = (head + skipped) >>> 0;
      }
      return (head & mask) + LENGTH;
    },
    commit(length) {
      view.setUint32(head & mask, length, true);
      head = (head + LENGTH + ((length + LENGTH - 1) & -LENGTH)) >>> 0;
      Atomics.store(cells, HEAD, head | 0);
    },
    hasRoom,
    used: () => usedOctets() / capacity,
    released: () => Atomics.load(cells, TAIL),
  };
}

/** The reading thread's side. */
export interface RingReader {
  /**
   * Goes to the next frame.
   *
   * @returns false when there is none now
   */
  readonly next: () => boolean;
  /** The frame that {@link RingReader.next} has found: `octets[start, end)`. It stays until it is released. */
  readonly start: number;
  readonly end: number;
  /** Gives back the room of every frame up to the current one. */
  readonly release: () => void;
}

/** Reading begins with the first frame that was not released, also in a thread that was started again. */
export function readRing({ cells, octets }: RingMemory): RingReader {
  const mask = octets.length - 1;
  const view = new DataView(octets.buffer);
  let at = Atomics.load(cells, TAIL) >>> 0;
  const reader = {
    start: 0,
    end: 0,
    next() {
      const head = Atomics.load(cells, HEAD) >>> 0;
      if (at === head) return false;
      let length = view.getUint32(at & mask, true);
      if (length === AT_BEGINNING) {
        at = (at + octets.length - (at & mask)) >>> 0;
        length = view.getUint32(at & mask, true);
      }
      reader.start = (at & mask) + LENGTH;
      reader.end = reader.start + length;
      at = (at + LENGTH + ((length + LENGTH - 1) & -LENGTH)) >>> 0;
      return true;
    },
    release: () => void Atomics.store(cells, TAIL, at | 0),
  };
  return reader;
}
