// Whether the far end of a TCP connection still has it: an M3UA BEAT, and what the kernel says of its acknowledgement.
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { createLifeTest, type LifeTest } from "./life-test.ts";
import { findConnection } from "./tcp-table.ts";

/** ASP state maintenance: BEAT and BEAT ACK (RFC 4666 sections 3.5.5 and 3.5.6). */
const ASPSM = 3;
const BEAT = 3;
const BEAT_ACK = 6;
const HEARTBEAT_DATA = 9;
const HEAD = 12;
/** Octets of heartbeat data: random ones, the same for the whole connection. */
const DATA = 12;

export interface TcpLife extends LifeTest {
  /** Tells whether a message is the answer to a BEAT of ours. Such a message goes no further. */
  isAnswer(message: Buffer): boolean;
}

/** Makes the test of a connection. */
export function createTcpLife(socket: Socket): TcpLife {
  let beat: Buffer | undefined;
  let heard = 0;
  const life = createLifeTest(
    () => {
      heard = socket.bytesRead;
      beat ??= createBeat();
      socket.write(beat);
    },
    async () => socket.bytesRead > heard || (await isAcknowledged(socket)),
  );
  socket.once("close", life.end);
  return {
    ...life,
    isAnswer: (message) =>
      beat !== undefined &&
      message[2] === ASPSM &&
      message[3] === BEAT_ACK &&
      message.length === beat.length &&
      message.compare(beat, HEAD, beat.length, HEAD) === 0,
  };
}

function createBeat(): Buffer {
  const beat = Buffer.alloc(HEAD + DATA);
  beat.set([1, 0, ASPSM, BEAT]);
  beat.writeUInt32BE(beat.length, 4);
  beat.writeUInt16BE(HEARTBEAT_DATA, 8);
  beat.writeUInt16BE(4 + DATA, 10);
  randomBytes(DATA).copy(beat, HEAD);
  return beat;
}

/**
 * Tells whether the peer's TCP has acknowledged what was sent: it has the connection, though its M3UA does not answer.
 * Where the kernel does not tell, a BEAT without answer counts as death: RFC 4666 requires the answer.
 */
async function isAcknowledged(socket: Socket): Promise<boolean> {
  if (socket.destroyed) return false;
  const { localAddress = "", localPort = 0, remoteAddress = "", remotePort = 0 } = socket;
  const local = { address: localAddress, port: localPort };
  const remote = { address: remoteAddress, port: remotePort };
  try {
    const table = await readFile(localAddress.includes(":") ? "/proc/net/tcp6" : "/proc/net/tcp", "latin1");
    return findConnection(table, local, remote) === "answers";
  } catch {
    return false;
  }
}
