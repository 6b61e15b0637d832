// Writes capture files, pcap and pcapng, from packets.
import { LinkType } from "./links/link-layer.ts";
import type { CaptureTime } from "./timestamp.ts";

/** One packet to be written. */
export interface PacketRecord extends CaptureTime {
  readonly bytes: Buffer;
  /** The length on the wire when the packet was cut short. Default: the bytes are all of it. */
  readonly originalLength?: number;
  /** A comment that Wireshark shows beside the packet; pcapng only. */
  readonly comment?: string;
}

/** How a capture file is written. */
export interface CaptureOptions {
  /** The LINKTYPE_ value. Default: Ethernet. */
  readonly linkType?: number;
  /** Default: false. */
  readonly bigEndian?: boolean;
  /** Whether time stamps are in nanoseconds. Default: microseconds. */
  readonly nanoseconds?: boolean;
}

const SNAP_LENGTH = 262_144;

type Write = (target: Buffer, value: number, at: number) => void;

const write16 = (bigEndian: boolean): Write =>
  bigEndian
    ? (target, value, at) => target.writeUInt16BE(value, at)
    : (target, value, at) => target.writeUInt16LE(value, at);
const write32 = (bigEndian: boolean): Write =>
  bigEndian
    ? (target, value, at) => target.writeUInt32BE(value, at)
    : (target, value, at) => target.writeUInt32LE(value, at);

/**
 * Writes a classic pcap file (draft-ietf-opsawg-pcap). Comments are left out, because the format
 * has no place for them.
 */
export function writePcap(packets: Iterable<PacketRecord>, options: CaptureOptions = {}): Buffer {
  const { linkType = LinkType.ethernet, bigEndian = false, nanoseconds = false } = options;
  const put16 = write16(bigEndian);
  const put32 = write32(bigEndian);
  const header = Buffer.alloc(24);
  put32(header, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, 0);
  put16(header, 2, 4);
  put16(header, 4, 6);
  put32(header, SNAP_LENGTH, 16);
  put32(header, linkType, 20);
  const pieces: Buffer[] = [header];
  for (const packet of packets) {
    const record = Buffer.alloc(16);
    put32(record, packet.seconds, 0);
    put32(record, nanoseconds ? packet.nanos : Math.floor(packet.nanos / 1000), 4);
    put32(record, packet.bytes.length, 8);
    put32(record, packet.originalLength ?? packet.bytes.length, 12);
    pieces.push(record, packet.bytes);
  }
  return Buffer.concat(pieces);
}

function pad(bytes: Buffer): Buffer {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)]);
}

/** Writes a pcapng file of one section and one interface (draft-ietf-opsawg-pcapng). */
export function writePcapng(packets: Iterable<PacketRecord>, options: CaptureOptions = {}): Buffer {
  const { linkType = LinkType.ethernet, bigEndian = false, nanoseconds = false } = options;
  const put16 = write16(bigEndian);
  const put32 = write32(bigEndian);

  function block(type: number, body: Buffer): Buffer {
    const size = body.length + 12;
    const whole = Buffer.alloc(size);
    put32(whole, type, 0);
    put32(whole, size, 4);
    body.copy(whole, 8);
    put32(whole, size, size - 4);
    return whole;
  }
  function option(code: number, value: Buffer): Buffer {
    const head = Buffer.alloc(4);
    put16(head, code, 0);
    put16(head, value.length, 2);
    return Buffer.concat([head, pad(value)]);
  }
  const endOfOptions = Buffer.alloc(4);

  function section(): Buffer {
    const body = Buffer.alloc(16, 0xff);
    put32(body, 0x1a2b3c4d, 0);
    put16(body, 1, 4);
    put16(body, 0, 6);
    return block(0x0a0d0d0a, body);
  }
  function networkInterface(): Buffer {
    const body = Buffer.alloc(8);
    put16(body, linkType, 0);
    put32(body, SNAP_LENGTH, 4);
    const resolution = option(9, Buffer.from([nanoseconds ? 9 : 6]));
    return block(1, Buffer.concat([body, resolution, endOfOptions]));
  }
  function packetBlock(packet: PacketRecord): Buffer {
    const body = Buffer.alloc(20);
    const ticks = nanoseconds
      ? BigInt(packet.seconds) * 1_000_000_000n + BigInt(packet.nanos)
      : BigInt(packet.seconds) * 1_000_000n + BigInt(Math.floor(packet.nanos / 1000));
    put32(body, Number(ticks >> 32n), 4);
    put32(body, Number(ticks & 0xffffffffn), 8);
    put32(body, packet.bytes.length, 12);
    put32(body, packet.originalLength ?? packet.bytes.length, 16);
    const comment =
      packet.comment === undefined
        ? Buffer.alloc(0)
        : Buffer.concat([option(1, Buffer.from(packet.comment, "utf8")), endOfOptions]);
    return block(6, Buffer.concat([body, pad(packet.bytes), comment]));
  }

  return Buffer.concat([section(), networkInterface(), ...Array.from(packets, packetBlock)]);
}
