// Opens a capture file and gives its bytes in chunks, unpacked when they are gzip.
import { open, type FileHandle } from "node:fs/promises";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";

const CHUNK = 1 << 20;
/** At most this many bytes are unpacked: gzip can hold a thousand times its size. */
const MOST_UNPACKED = 2 ** 36;

/** The bytes of a file in chunks. A chunk is valid until the next one is asked for. */
export interface CaptureBytes {
  /** Bytes on disk. */
  readonly size: number;
  /** Bytes on disk that have been read so far. */
  readonly read: () => number;
  readonly chunks: AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** Unpacking failed; `message` says why, for people. */
export class UnpackError extends Error {}

/**
 * Opens a capture. Gzip (RFC 1952) is unpacked while reading, up to `most` bytes; beyond, the
 * chunks end with an {@link UnpackError}. Rejects as `open` of node:fs does.
 */
export async function openCapture(path: string, most = MOST_UNPACKED): Promise<CaptureBytes> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(2);
    const isGzip = (await file.read(head, 0, 2, 0)).bytesRead === 2 && head.readUInt16BE(0) === 0x1f8b;
    const packed = isGzip
      ? file.createReadStream({ start: 0, highWaterMark: CHUNK, autoClose: false })
      : undefined;
    let total = 0;
    const chunks =
      packed === undefined ? readChunks(file, (amount) => (total += amount)) : unpack(packed, most);
    return {
      size,
      read: () => packed?.bytesRead ?? total,
      chunks,
      async close() {
        packed?.destroy();
        await file.close();
      },
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function* readChunks(file: FileHandle, read: (amount: number) => void): AsyncGenerator<Buffer> {
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    read(bytesRead);
    yield chunk.subarray(0, bytesRead);
  }
}

async function* unpack(packed: Readable, most: number): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK });
  // Every error reaches the loop below.
  pipeline(packed, gunzip, () => {});
  let total = 0;
  try {
    for await (const chunk of gunzip) {
      if (!Buffer.isBuffer(chunk)) continue;
      total += chunk.length;
      if (total > most) throw new UnpackError(`unpacks to more than ${most} bytes; the rest is not read`);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof UnpackError) throw error;
    throw new UnpackError(`damaged gzip: ${error instanceof Error ? error.message : "unknown"}`);
  }
}
