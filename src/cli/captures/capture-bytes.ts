// Opens a capture file or standard input and gives its bytes in chunks, unpacked when they are gzip.
import { open, type FileHandle } from "node:fs/promises";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";

const CHUNK = 1 << 20;
/** At most this many bytes are unpacked: gzip can hold a thousand times its size. */
const MOST_UNPACKED = 2 ** 36;

/** The name that stands for standard input. */
export const STANDARD_INPUT = "-";

/** The bytes of a file in chunks. A chunk is valid until the next one is asked for. */
export interface CaptureBytes {
  /** Bytes on disk; 0 when nobody knows, as of a pipe. */
  readonly size: number;
  /** Bytes of the file that have been read so far, packed ones where it is packed. */
  readonly read: () => number;
  readonly chunks: AsyncIterable<Buffer>;
  close(): Promise<void>;
}

/** Unpacking failed; `message` says why, for people. */
export class UnpackError extends Error {}

/**
 * Opens a capture: a file, a pipe with a name, or standard input for {@link STANDARD_INPUT}. Gzip (RFC 1952) is unpacked while
 * reading, up to `most` bytes; beyond, the chunks end with an {@link UnpackError}. Rejects as `open` of node:fs does.
 */
export async function openCapture(
  path: string,
  most = MOST_UNPACKED,
  input: Readable = process.stdin,
): Promise<CaptureBytes> {
  if (path === STANDARD_INPUT) return openStream(input, most, () => Promise.resolve());
  const file = await open(path);
  try {
    const found = await file.stat();
    if (!found.isFile() && !found.isDirectory())
      return openStream(file.createReadStream({ highWaterMark: CHUNK, autoClose: false }), most, () =>
        file.close(),
      );
    return await openFile(file, found.size, most);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openFile(file: FileHandle, size: number, most: number): Promise<CaptureBytes> {
  const head = Buffer.alloc(2);
  const isGzip = isPacked(head.subarray(0, (await file.read(head, 0, 2, 0)).bytesRead));
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
}

/** Opens what can be read only once, from its beginning. */
function openStream(stream: Readable, most: number, close: () => Promise<void>): CaptureBytes {
  let total = 0;
  return {
    size: 0,
    read: () => total,
    chunks: readStream(stream, most, (amount) => (total += amount)),
    async close() {
      stream.destroy();
      await close();
    },
  };
}

function isPacked(head: Buffer): boolean {
  return head.length >= 2 && head.readUInt16BE(0) === 0x1f8b;
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

async function* readStream(
  stream: Readable,
  most: number,
  read: (amount: number) => void,
): AsyncGenerator<Buffer> {
  const raw = rawChunks(stream, read);
  // A pipe may give one byte first: two tell whether the bytes are packed.
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await raw.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    yield* raw;
  }
  yield* isPacked(head) ? unpack(Readable.from(all(), { objectMode: false }), most) : all();
}

async function* rawChunks(stream: Readable, read: (amount: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    read(chunk.length);
    yield chunk;
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
