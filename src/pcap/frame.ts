// What a capture file is read into: frames, and the parsers that fill them.

/**
 * At most this many bytes are believed of one captured packet: the limit of libpcap
 * (MAXIMUM_SNAPLEN).
 */
export const MAX_CAPTURED = 262_144;

/**
 * One captured packet. The object and its bytes are valid only during the call that hands them
 * over.
 */
export interface CapturedFrame {
  /** The number of the packet, from 1, as Wireshark counts. */
  readonly frame: number;
  /** Seconds since the Unix epoch, and nanoseconds within the second. */
  readonly seconds: number;
  readonly nanos: number;
  /** The LINKTYPE_ value (https://www.tcpdump.org/linktypes.html). */
  readonly linkType: number;
  /** The packet is `buffer[start, end)`. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /**
   * The length on the wire in bytes. It exceeds the captured bytes when the capture cut the packet
   * short.
   */
  readonly originalLength: number;
}

/** The same object, writable for the record parser that fills it. */
export type MutableFrame = { -readonly [Key in keyof CapturedFrame]: CapturedFrame[Key] };

/** Takes one packet. */
export type FrameSink = (frame: CapturedFrame) => void;

/**
 * Reads one kind of file, record by record. `parse` looks at `buffer[start, end)`, which begins
 * with a record. It returns how many bytes it used; when that is more than there are, the caller
 * skips the rest. It returns minus the number of bytes it must see at once when there are too few.
 * It returns 0 when the record is wrong, and `wrong` says why.
 */
export interface RecordParser {
  parse(buffer: Buffer, start: number, end: number): number;
  readonly wrong: string;
}
