import { Buffer } from "node:buffer";

/** A packet of any link type. */
export interface LinkedPacket {
  readonly linkType: number;
  readonly bytes: Buffer;
  /** The length on the wire, where the capture cut the packet short. */
  readonly originalLength?: number;
}

/** A pcapng block in one byte order. */
export function writeBlock(isLittle: boolean, type: number, ...body: readonly (number | Buffer)[]): Buffer {
  const word = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    if (isLittle) bytes.writeUInt32LE(value >>> 0);
    else bytes.writeUInt32BE(value >>> 0);
    return bytes;
  };
  const content = Buffer.concat(body.map((part) => (typeof part === "number" ? word(part) : part)));
  const padded = Buffer.concat([content, Buffer.alloc((4 - (content.length % 4)) % 4)]);
  const size = word(padded.length + 12);
  return Buffer.concat([word(type), size, padded, size]);
}

/** A pcapng file with an interface for each link type, in one byte order. Packets are a millisecond apart. */
export function writeInterfaces(packets: readonly LinkedPacket[], isLittle: boolean): Buffer {
  const linkTypes = [...new Set(packets.map(({ linkType }) => linkType))];
  const blocks = [
    writeBlock(
      isLittle,
      0x0a0d_0d0a,
      0x1a2b_3c4d,
      isLittle ? 0x0000_0001 : 0x0001_0000,
      0xffff_ffff,
      0xffff_ffff,
    ),
    ...linkTypes.map((linkType) => writeBlock(isLittle, 1, isLittle ? linkType : linkType << 16, 0)),
    ...packets.map(({ linkType, bytes, originalLength = bytes.length }, i) =>
      writeBlock(isLittle, 6, linkTypes.indexOf(linkType), 0, i * 1000, bytes.length, originalLength, bytes),
    ),
  ];
  return Buffer.concat(blocks);
}
