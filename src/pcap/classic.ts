// Reads the records of a classic pcap file: captured packets, one after the other.
import { MAX_CAPTURED, type FrameSink, type MutableFrame, type RecordParser } from "./frame.ts";

/** What the magic number at the start of a pcap file says (draft-ietf-opsawg-pcap section 4). */
interface Dialect {
  readonly little: boolean;
  /** Nanoseconds in one unit of the second time field. */
  readonly unit: number;
  /** Octets in front of each packet. */
  readonly recordHeader: number;
}

const FILE_HEADER = 24;
const RECORD_HEADER = 16;
/** Patched libpcaps of the 1990s add interface, protocol and packet type after the lengths. */
const MODIFIED_HEADER = 24;

const dialects: ReadonlyMap<number, Dialect> = new Map([
  [0xa1b2c3d4, { little: false, unit: 1000, recordHeader: RECORD_HEADER }],
  [0xd4c3b2a1, { little: true, unit: 1000, recordHeader: RECORD_HEADER }],
  [0xa1b23c4d, { little: false, unit: 1, recordHeader: RECORD_HEADER }],
  [0x4d3cb2a1, { little: true, unit: 1, recordHeader: RECORD_HEADER }],
  [0xa1b2cd34, { little: false, unit: 1000, recordHeader: MODIFIED_HEADER }],
  [0x34cdb2a1, { little: true, unit: 1000, recordHeader: MODIFIED_HEADER }],
]);

/** Reads four octets that are there. The methods of Buffer ask each time whether they are. */
function littleEndian(bytes: Buffer, at: number): number {
  return ((bytes[at + 3]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 1]! << 8) | bytes[at]!) >>> 0;
}

function bigEndian(bytes: Buffer, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/**
 * Creates the parser of a classic pcap file. It fills `frame` and gives it to `sink`.
 * @param magic the first four bytes of the file, read as big-endian
 * @returns undefined when `magic` is no magic number of the format
 */
export function createClassicRecords(
  magic: number,
  frame: MutableFrame,
  sink: FrameSink,
): RecordParser | undefined {
  const dialect = dialects.get(magic);
  if (dialect === undefined) return undefined;
  const { little, unit, recordHeader } = dialect;
  let headerSeen = false;
  let wrong = "";

  const u32 = little ? littleEndian : bigEndian;

  function parseHeader(buffer: Buffer, start: number, end: number): number {
    if (end - start < FILE_HEADER) return -FILE_HEADER;
    // The upper bits of the field give the length of a frame check sequence, not the link type.
    frame.linkType = u32(buffer, start + 20) & 0x03ff_ffff;
    headerSeen = true;
    return FILE_HEADER;
  }

  function parse(buffer: Buffer, start: number, end: number): number {
    if (!headerSeen) return parseHeader(buffer, start, end);
    if (end - start < recordHeader) return -recordHeader;
    const captured = u32(buffer, start + 8);
    if (captured > MAX_CAPTURED) {
      wrong = `packet ${frame.frame + 1} claims ${captured} captured bytes, more than ${MAX_CAPTURED}`;
      return 0;
    }
    const size = recordHeader + captured;
    if (end - start < size) return -size;
    const seconds = u32(buffer, start);
    const nanos = u32(buffer, start + 4) * unit;
    frame.frame += 1;
    // Some writers let the fraction run over a second.
    frame.seconds = nanos < 1e9 ? seconds : seconds + Math.floor(nanos / 1e9);
    frame.nanos = nanos < 1e9 ? nanos : nanos % 1e9;
    frame.buffer = buffer;
    frame.start = start + recordHeader;
    frame.end = start + size;
    frame.originalLength = u32(buffer, start + 12);
    sink(frame);
    return size;
  }

  return {
    parse,
    get wrong() {
      return wrong;
    },
  };
}
