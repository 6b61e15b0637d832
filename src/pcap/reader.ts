// Reads a capture file that arrives in chunks: the entry of every replay.
import { createClassicRecords } from "./classic.ts";
import type { FrameSink, MutableFrame, RecordParser } from "./frame.ts";
import { createPcapngBlocks } from "./pcapng.ts";

/** Why reading stopped. */
export interface CaptureFault {
  /**
   * `foreign`: the file is no capture; `damaged`: the file is wrong at `offset`; `truncated`: the
   * file ends inside a record.
   */
  readonly kind: "foreign" | "damaged" | "truncated";
  /** The byte offset in the file of the record that could not be read. */
  readonly offset: number;
  /** How many packets were read before. */
  readonly frames: number;
  /** The reason in words, for people. */
  readonly why: string;
}

/**
 * Reads pcap and pcapng files that arrive in chunks of any size. Its memory is bounded by the
 * largest record.
 */
export interface CaptureReader {
  /**
   * Gives every packet that this chunk completes to the sink. The chunk may be reused afterwards.
   */
  push(chunk: Buffer): void;
  /**
   * Ends the file.
   * @returns the fault when not all of the file could be read
   */
  end(): CaptureFault | undefined;
  /** Records so far, as Wireshark counts them: packets, and blocks of pcapng that are records without a packet. */
  frames(): number;
}

/** Creates a reader that gives each packet to `sink`. The first bytes tell the kind of file. */
export function createCaptureReader(sink: FrameSink): CaptureReader {
  const frame: MutableFrame = {
    frame: 0,
    seconds: 0,
    nanos: 0,
    linkType: -1,
    buffer: Buffer.alloc(0),
    start: 0,
    end: 0,
    originalLength: 0,
  };
  let records: RecordParser | undefined;
  let fault: CaptureFault | undefined;
  /**
   * The file offsets of the current record and of the next one, the bytes still to skip, and the
   * start of a record that ends in a later chunk.
   */
  let offset = 0;
  let next = 0;
  let skip = 0;
  let carry = Buffer.alloc(4096);
  let carried = 0;
  let wanted = 0;

  function fail(kind: CaptureFault["kind"], why: string): void {
    fault = { kind, offset, frames: frame.frame, why };
  }

  /** Does what RecordParser.parse does, for the first bytes of the file. */
  function recognise(buffer: Buffer, start: number, end: number): number {
    if (end - start < 4) return -4;
    const magic = buffer.readUInt32BE(start);
    records =
      magic === 0x0a0d0d0a ? createPcapngBlocks(frame, sink) : createClassicRecords(magic, frame, sink);
    if (records === undefined) {
      const gzip = magic >>> 16 === 0x1f8b;
      fail("foreign", gzip ? "a gzip file: unpack it first" : "neither a pcap nor a pcapng file");
      return 0;
    }
    return records.parse(buffer, start, end);
  }

  function parse(buffer: Buffer, start: number, end: number): number {
    offset = next;
    const used = records === undefined ? recognise(buffer, start, end) : records.parse(buffer, start, end);
    if (used === 0 && fault === undefined && records !== undefined) fail("damaged", records.wrong);
    if (used > 0) next += used;
    return used;
  }

  function keep(buffer: Buffer, start: number, end: number): void {
    const size = carried + end - start;
    if (size > carry.length) {
      const larger = Buffer.alloc(Math.max(size, carry.length * 2));
      carry.copy(larger, 0, 0, carried);
      carry = larger;
    }
    buffer.copy(carry, carried, start, end);
    carried = size;
  }

  /**
   * Completes the record begun in an earlier chunk.
   * @returns how many bytes of this chunk it used
   */
  function finishCarried(chunk: Buffer): number {
    let at = 0;
    for (;;) {
      if (carried === 0 || fault !== undefined) return at;
      const take = Math.min(wanted - carried, chunk.length - at);
      keep(chunk, at, at + take);
      at += take;
      if (carried < wanted) return at;
      const used = parse(carry, 0, carried);
      if (used < 0) {
        wanted = -used;
      } else {
        skip = used - carried;
        carried = 0;
      }
    }
  }

  function push(chunk: Buffer): void {
    let at = finishCarried(chunk);
    for (;;) {
      if (fault !== undefined || at === chunk.length) return;
      if (skip > 0) {
        const step = Math.min(skip, chunk.length - at);
        skip -= step;
        at += step;
        continue;
      }
      const used = parse(chunk, at, chunk.length);
      if (used < 0) {
        wanted = -used;
        keep(chunk, at, chunk.length);
        return;
      }
      const step = Math.min(used, chunk.length - at);
      skip = used - step;
      at += step;
    }
  }

  function finish(): CaptureFault | undefined {
    if (fault !== undefined) return fault;
    if (records === undefined) {
      fail("foreign", carried === 0 ? "the file is empty" : "too short for a capture");
    } else if (carried > 0) {
      fail("truncated", `the file ends inside a record: ${carried} of ${wanted} bytes are there`);
    } else if (skip > 0) {
      fail("truncated", `the file ends inside a record: ${skip} bytes are missing`);
    }
    return fault;
  }

  return { push, end: finish, frames: () => frame.frame };
}
