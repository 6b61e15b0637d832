/** Largest captured packet that is believed, in bytes: the limit of libpcap (MAXIMUM_SNAPLEN). */
export const MAX_CAPTURED = 262_144;

/** One captured packet. The object and its bytes are valid only during the call that hands them over. */
export interface CapturedFrame {
  /** Counts from 1, as Wireshark does. */
  readonly frame: number;
  /** Seconds since the Unix epoch. */
  readonly seconds: number;
  readonly nanos: number;
  /** LINKTYPE_ value (https://www.tcpdump.org/linktypes.html). */
  readonly linkType: number;
  /** The packet is `buffer[start, end)`. */
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Length on the wire, in bytes; more than was captured when the capture cut the packet short. */
  readonly originalLength: number;
}

/** The same object while a record parser fills it. */
export type MutableFrame = { -readonly [Key in keyof CapturedFrame]: CapturedFrame[Key] };

/** Takes one packet. */
export type FrameSink = (frame: CapturedFrame) => void;

/**
 * Reads one kind of file record by record. `parse` looks at `buffer[start, end)`, which begins with a record, and returns
 * how many bytes it used (more than are there: the rest is skipped), or minus the bytes it must see at once, or 0 when the
 * record is wrong; then `wrong` says why.
 */
export interface RecordParser {
  parse(buffer: Buffer, start: number, end: number): number;
  readonly wrong: string;
}
