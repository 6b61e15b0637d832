import { createCaptureReader, type CaptureFault } from "../../src/pcap/reader.ts";

/** What a reader said of one packet, kept. */
export interface ReadFrame {
  readonly frame: number;
  readonly seconds: number;
  readonly nanos: number;
  readonly linkType: number;
  readonly bytes: string;
  readonly originalLength: number;
}

/** Reads a capture that arrives in pieces of the sizes that `nextSize` gives. */
export function readCapture(
  file: Buffer,
  nextSize: () => number = () => file.length,
): { readonly frames: ReadFrame[]; readonly fault: CaptureFault | undefined } {
  const frames: ReadFrame[] = [];
  const reader = createCaptureReader((frame) => {
    const { seconds, nanos, linkType, originalLength } = frame;
    const bytes = frame.buffer.toString("hex", frame.start, frame.end);
    frames.push({ frame: frame.frame, seconds, nanos, linkType, bytes, originalLength });
  });
  const chunk = Buffer.alloc(file.length);
  for (let at = 0; at < file.length;) {
    const size = Math.max(1, Math.min(nextSize(), file.length - at));
    // The same memory again and again: a reader that keeps a chunk is found out.
    file.copy(chunk, 0, at, at + size);
    reader.push(chunk.subarray(0, size));
    chunk.fill(0xee, 0, size);
    at += size;
  }
  return { frames, fault: reader.end() };
}

/** Repeatable numbers in [0, below): a linear congruential generator (Numerical Recipes, section 7.1). */
export function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 4_294_967_296) * below);
  };
}
