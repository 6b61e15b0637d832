// Reads the blocks of a pcapng file: captured packets of several interfaces.
import { MAX_CAPTURED, type FrameSink, type MutableFrame, type RecordParser } from "./frame.ts";
import { createClock, setTime, type Clock } from "./timestamp.ts";

// Block types of draft-ietf-opsawg-pcapng section 4. Every other block is skipped unread.
const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE = 1;
const OLD_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const JOURNAL = 9;
const CUSTOM = 0xbad;
const CUSTOM_NO_COPY = 0x4000_0bad;

/** Blocks without a packet that Wireshark shows as records, and counts: custom blocks, journals, events of Sysdig. */
const records: ReadonlySet<number> = new Set([JOURNAL, CUSTOM, CUSTOM_NO_COPY, 0x204, 0x216, 0x221]);

/**
 * At most this many bytes of a block are held in memory: a packet of the largest size and generous
 * options.
 */
const MAX_BLOCK = 4 * MAX_CAPTURED;
const MAX_INTERFACES = 65_536;

interface Interface {
  readonly linkType: number;
  /** Bytes kept of each packet. 0 means all. */
  readonly snapLength: number;
  readonly clock: Clock;
}

/**
 * Creates the parser of a pcapng file, with its sections, interfaces and byte orders. It fills
 * `frame` and gives it to `sink`.
 */
export function createPcapngBlocks(frame: MutableFrame, sink: FrameSink): RecordParser {
  let little = false;
  let interfaces: Interface[] = [];
  let wrong = "";

  function u16(buffer: Buffer, at: number): number {
    return little ? buffer.readUInt16LE(at) : buffer.readUInt16BE(at);
  }
  function u32(buffer: Buffer, at: number): number {
    return little ? buffer.readUInt32LE(at) : buffer.readUInt32BE(at);
  }
  function refuse(why: string): 0 {
    wrong = why;
    return 0;
  }

  /** Reads the byte order, which may change from section to section, before the length is read. */
  function startSection(buffer: Buffer, start: number): boolean {
    const magic = buffer.readUInt32BE(start + 8);
    if (magic !== 0x1a2b3c4d && magic !== 0x4d3c2b1a) return false;
    little = magic === 0x4d3c2b1a;
    interfaces = [];
    return true;
  }

  function addInterface(buffer: Buffer, start: number, end: number): boolean {
    if (end - start < 20 || interfaces.length >= MAX_INTERFACES) return false;
    let resolution = 6;
    let offset = 0;
    for (let at = start + 16; at + 4 <= end - 4;) {
      const code = u16(buffer, at);
      const length = u16(buffer, at + 2);
      const value = at + 4;
      if (code === 0 || value + length > end - 4) break;
      if (code === 9 && length >= 1) resolution = buffer.readUInt8(value);
      if (code === 14 && length >= 8) {
        offset = Number(little ? buffer.readBigInt64LE(value) : buffer.readBigInt64BE(value));
      }
      at = value + length + ((4 - (length % 4)) % 4);
    }
    const clock = createClock(resolution, offset);
    interfaces.push({ linkType: u16(buffer, start + 8), snapLength: u32(buffer, start + 12), clock });
    return true;
  }

  /**
   * Gives the packet at `from` of a block that ends at `end` to the sink.
   * @returns false when the packet does not fit into the block
   */
  function give(
    buffer: Buffer,
    from: number,
    end: number,
    captured: number,
    original: number,
    on: Interface,
  ): boolean {
    if (captured > MAX_CAPTURED || from + captured > end - 4) return false;
    frame.frame += 1;
    frame.linkType = on.linkType;
    frame.buffer = buffer;
    frame.start = from;
    frame.end = from + captured;
    frame.originalLength = original;
    sink(frame);
    return true;
  }

  function readPacket(buffer: Buffer, start: number, end: number, type: number): number {
    const size = end - start;
    const name = `packet ${frame.frame + 1}`;
    if (size < 32) return refuse(`${name} is a block of only ${size} bytes`);
    const id = type === OLD_PACKET ? u16(buffer, start + 8) : u32(buffer, start + 8);
    const on = interfaces[id];
    if (on === undefined)
      return refuse(`${name} came in on interface ${id}, which the file does not describe`);
    setTime(frame, on.clock, u32(buffer, start + 12), u32(buffer, start + 16));
    const captured = u32(buffer, start + 20);
    if (!give(buffer, start + 28, end, captured, u32(buffer, start + 24), on)) {
      return refuse(`${name} claims ${captured} captured bytes in a block of ${size}`);
    }
    return size;
  }

  /**
   * Reads a simple packet. It has no time of its own, and keeps the time of the packet before it.
   */
  function readSimplePacket(buffer: Buffer, start: number, end: number): number {
    const on = interfaces[0];
    if (on === undefined || end - start < 16)
      return refuse(`packet ${frame.frame + 1} has no interface or no length`);
    const original = u32(buffer, start + 8);
    const room = end - start - 16;
    const kept = on.snapLength === 0 ? original : Math.min(original, on.snapLength);
    if (!give(buffer, start + 12, end, Math.min(kept, room), original, on)) {
      return refuse(`packet ${frame.frame + 1} claims ${original} bytes in a block of ${end - start}`);
    }
    return end - start;
  }

  /** Counts a block that is a record without a packet. One that is too large to be held is counted at its beginning. */
  function countRecord(buffer: Buffer, start: number, end: number, type: number, size: number): number {
    if (size <= MAX_BLOCK && end - start < size) return -size;
    if ((type === CUSTOM || type === CUSTOM_NO_COPY) && size < 16)
      return refuse(`a custom block of only ${size} bytes`);
    if (size <= MAX_BLOCK && u32(buffer, start + size - 4) !== size)
      return refuse(`a block of ${size} bytes ends with a length of ${u32(buffer, start + size - 4)}`);
    frame.frame += 1;
    return size;
  }

  function parse(buffer: Buffer, start: number, end: number): number {
    if (end - start < 12) return -12;
    const type = u32(buffer, start);
    // The number of a section header reads the same in both byte orders.
    if (type === SECTION_HEADER && !startSection(buffer, start)) {
      return refuse("a section header without a byte-order magic");
    }
    const size = u32(buffer, start + 4);
    if (size < 12 || size % 4 !== 0) return refuse(`a block of type ${type} claims a length of ${size}`);
    const known =
      type === INTERFACE || type === OLD_PACKET || type === SIMPLE_PACKET || type === ENHANCED_PACKET;
    if (records.has(type)) return countRecord(buffer, start, end, type, size);
    if (!known) return size;
    if (size > MAX_BLOCK) return refuse(`a block of type ${type} claims a length of ${size}`);
    if (end - start < size) return -size;
    const blockEnd = start + size;
    if (u32(buffer, blockEnd - 4) !== size) {
      return refuse(`a block of ${size} bytes ends with a length of ${u32(buffer, blockEnd - 4)}`);
    }
    if (type === SIMPLE_PACKET) return readSimplePacket(buffer, start, blockEnd);
    if (type !== INTERFACE) return readPacket(buffer, start, blockEnd, type);
    return addInterface(buffer, start, blockEnd)
      ? size
      : refuse("an interface description that is too short, or one too many");
  }

  return {
    parse,
    get wrong() {
      return wrong;
    },
  };
}
