// M3UA over TCP, as libosmo-sigtran speaks it.
import { Buffer } from "node:buffer";
import { connect, createServer, type Socket } from "node:net";
import {
  MOST_WAITING,
  type Association,
  type AssociationEnds,
  type AssociationHandlers,
  type PendingAssociation,
  type SignallingTransport,
} from "./association.ts";
import { createM3uaFramer } from "./m3ua-framer.ts";
import { createTcpLife, type TcpLife } from "./tcp-life.ts";

const KEEP_ALIVE = 5000;
/** Message class of DATA: transfer. */
const TRANSFER = 1;

function open(socket: Socket, life: TcpLife, handlers: AssociationHandlers): Association {
  const framer = createM3uaFramer();
  let isOver = false;

  function end(why: string): void {
    if (isOver) return;
    isOver = true;
    life.end();
    socket.destroy();
    handlers.closed(why);
  }

  // TCP has no streams. Messages travel as if on stream 1 (DATA) or 0 (all others) (RFC 4666
  // section 1.4.7).
  const take = (message: Buffer): void => {
    if (!isOver && !life.isAnswer(message)) handlers.message(message[2] === TRANSFER ? 1 : 0, message);
  };

  socket.on("data", (bytes: Buffer) => {
    const fault = isOver ? undefined : framer.push(bytes, take);
    if (fault !== undefined) end(fault);
  });
  socket.on("drain", () => {
    if (!isOver) handlers.drained();
  });
  socket.on("close", () => end("the peer closed the connection"));
  if (socket.destroyed) setImmediate(end, "the peer closed the connection");
  return {
    ...endsOf(socket, life),
    send(_stream, bytes) {
      if (isOver) return;
      // The caller reuses its buffer, so the bytes are copied.
      socket.write(Buffer.from(bytes));
      if (socket.writableLength > MOST_WAITING) end("the peer reads nothing");
    },
    get isCongested() {
      return socket.writableNeedDrain;
    },
    read(wanted) {
      if (wanted) socket.resume();
      else socket.pause();
    },
    close() {
      isOver = true;
      life.end();
      socket.destroy();
    },
  };
}

function endsOf(socket: Socket, life: TcpLife): AssociationEnds {
  const { remoteAddress = "", remotePort = 0, localPort = 0 } = socket;
  return { address: remoteAddress, port: remotePort, localPort, testLife: life.begin };
}

function pendingOf(socket: Socket): PendingAssociation {
  // The connection may break before it is opened; then `open` finds it closed.
  socket.on("error", () => undefined);
  const life = createTcpLife(socket);
  return {
    ...endsOf(socket, life),
    open: (handlers) => open(socket, life, handlers),
    refuse() {
      life.end();
      socket.destroy();
    },
  };
}

/** M3UA over TCP. RFC 4666 does not define it, but libosmo-sigtran 1.9 and newer speak it. */
export const tcpTransport: SignallingTransport = {
  listen: ({ locals: [{ address, port }] }, accepted, failed) =>
    new Promise((resolve, reject) => {
      const options = {
        pauseOnConnect: true,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE,
      };
      const server = createServer(options, (socket) => accepted(pendingOf(socket)));
      server.once("error", reject);
      server.listen({ host: address, port, ipv6Only: address.includes(":") }, () => {
        server.off("error", reject);
        server.on("error", failed);
        const bound = server.address();
        resolve({
          port: typeof bound === "object" && bound !== null ? bound.port : port,
          close: () => new Promise((closed) => server.close(() => closed())),
        });
      });
    }),
  connect([local], [remote], done) {
    const place = { host: remote.address, port: remote.port, localAddress: local.address };
    const socket = connect({
      ...place,
      ...(local.port === 0 ? {} : { localPort: local.port }),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE,
    });
    socket.pause();
    const failed = (error: Error): void => done(error);
    socket.once("error", failed);
    socket.once("connect", () => {
      socket.off("error", failed);
      done(pendingOf(socket));
    });
    return () => {
      socket.off("error", failed);
      socket.on("error", () => undefined);
      socket.destroy();
    };
  },
};
