import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { createStack, type SipStack, type StackHandlers } from "./drachtio-stack.ts";

/**
 * A server that speaks drachtio's control protocol, so that the engine can be tested where no drachtio-server is at hand. It is our
 * reading of the protocol: what it proves, it proves about the engine, not about drachtio.
 */
export interface TestDrachtio {
  readonly host: string;
  readonly adminPort: number;
  readonly sipPort: number;
  readonly secret: string;
  /** Every frame that applications sent, without its length. */
  readonly frames: string[];
  /** Applications that are connected. */
  readonly clients: () => number;
  /** Stops reading what applications send, as the real one does after a frame that is too long. */
  stall(): void;
  /** Closes every connection of an application. */
  hangUp(): void;
  /** While `isAway`, applications that connect are hung up on at once. */
  turnAway(isAway: boolean): void;
  /** Sends bytes as they are to every application. */
  babble(bytes: string): void;
  close(): Promise<void>;
}

interface Client {
  readonly socket: Socket;
  /** Frames that wait for the next write, and whether one is under way; by TLS only. */
  readonly held: string[];
  isWriting: boolean;
  readonly routes: Set<string>;
  isStalled: boolean;
}

let ids = 0;
const newId = (): string => `00000000-0000-0000-0000-${String(++ids).padStart(12, "0")}`;
const timeOfDay = (): string => `${new Date().toISOString().slice(11, 23)}000`;

export async function openTestDrachtio(
  options: {
    readonly adminPort?: number;
    readonly sipPort?: number;
    readonly secret?: string;
    readonly tls?: { readonly key: string; readonly cert: string };
  } = {},
): Promise<TestDrachtio> {
  const host = "127.0.0.1";
  const secret = options.secret ?? "cymru";
  const clients = new Set<Client>();
  const frames: string[] = [];
  const turns = new Map<string, number>();

  const udp = createSocket("udp4");
  udp.bind(options.sipPort ?? 0, host);
  await once(udp, "listening");
  const sipPort = udp.address().port;

  /**
   * Sends a frame. By TLS the real one holds back what it has for a client while it writes to it, and sends that with its
   * next write: of answers to orders that arrive together, the first comes, and the others with whatever comes later.
   */
  function send(client: Client, text: string): void {
    const frame = `${Buffer.byteLength(text)}#${text}`;
    if (options.tls === undefined) {
      client.socket.write(frame);
      return;
    }
    client.held.push(frame);
    if (client.isWriting) return;
    client.isWriting = true;
    client.socket.write(client.held.splice(0).join(""), () => {
      client.isWriting = false;
    });
  }

  function clientFor(verb: string): Client | undefined {
    const willing = [...clients].filter(({ routes }) => routes.has(verb));
    const turn = turns.get(verb) ?? 0;
    turns.set(verb, turn + 1);
    return willing[turn % Math.max(willing.length, 1)];
  }

  function report(kind: string, message: string): void {
    const [name = ""] = kind.split("|");
    const client = clientFor(`cdr:${name}`);
    const [, source, detail] = kind.split("|");
    if (client !== undefined)
      send(
        client,
        `${newId()}|cdr:${name}|${source}|${timeOfDay()}${detail === undefined ? "" : `|${detail}`}\r\n${message}`,
      );
  }

  const handlers: StackHandlers = {
    request(transaction) {
      const client = clientFor(transaction.method.toLowerCase());
      if (client === undefined) return false;
      const { raw, address, port } = transaction;
      const meta = `network|${raw.length}|udp|${address}|${port}|${timeOfDay()}|${transaction.id}||${host}|${sipPort}|`;
      send(client, `${newId()}|sip|${meta}\r\n${raw}`);
      return true;
    },
    proxied(transaction, response, isLast) {
      const { order, id } = transaction;
      const [client] = clients;
      if (client === undefined || order === undefined) return;
      if (response !== undefined) {
        const [address = "", port = ""] = response.from.split(":");
        const meta = `network|${response.text.length}|udp|${address}|${port}|${timeOfDay()}|${id}||continue|`;
        send(client, `${newId()}|response|${order}|OK|${meta}\r\n${response.text}`);
      }
      if (isLast) send(client, `${newId()}|response|${order}|OK|done`);
    },
    report,
  };
  const stack: SipStack = createStack(udp, host, sipPort, handlers);

  function obey(client: Client, frame: string): void {
    frames.push(frame);
    const [head = "", ...rest] = frame.split("\r\n");
    const [id = "", verb = "", first = "", second = "", ...more] = head.split("|");
    const respond = (text: string): void => send(client, `${newId()}|response|${id}|${text}`);
    if (verb === "authenticate") {
      if (first === secret) respond(`OK|udp/${host}:${sipPort}|v0.9.10|${host}:${sipPort}`);
      else {
        respond("NO|incorrect secret");
        client.socket.end();
      }
    } else if (verb === "ping") respond("OK|pong");
    else if (verb === "route") {
      client.routes.add(first);
      respond("OK");
    } else if (verb === "remove_route") {
      client.routes.clear();
      respond("OK");
    } else if (verb === "sip") {
      const sent = stack.respond(first, rest.join("\r\n"));
      respond(
        sent === undefined
          ? "NOK|Response not sent due to unknown transaction"
          : `OK|application|${sent.length}|udp|${host}|${sipPort}|${timeOfDay()}|${first}||\r\n${sent}`,
      );
    } else if (verb === "proxy") {
      const [, , , , timeout = "", , ...targets] = [second, ...more];
      const fields = rest.slice(1).filter((line) => line !== "" && !line.startsWith("Content-Length"));
      if (!stack.proxy(first, id, targets, Number.parseInt(timeout, 10), fields))
        respond("NOK|Response not sent due to unknown transaction");
    } else respond("NO|Unknown message type");
  }

  let isAway = false;

  function accept(socket: Socket): void {
    socket.on("error", () => undefined);
    if (isAway) {
      socket.destroy();
      return;
    }
    const client: Client = { socket, held: [], isWriting: false, routes: new Set(), isStalled: false };
    clients.add(client);
    let buffer = Buffer.alloc(0);
    socket.on("close", () => clients.delete(client));
    socket.on("data", (bytes) => {
      if (client.isStalled) return;
      buffer = Buffer.concat([buffer, bytes]);
      for (let hash = buffer.indexOf("#"); hash > 0; hash = buffer.indexOf("#")) {
        const length = Number(buffer.toString("latin1", 0, hash));
        if (length > 12_228) client.isStalled = true;
        if (client.isStalled || buffer.length < hash + 1 + length) return;
        const frame = buffer.toString("utf8", hash + 1, hash + 1 + length);
        buffer = buffer.subarray(hash + 1 + length);
        obey(client, frame);
      }
    });
  }

  const admin = options.tls === undefined ? createServer(accept) : createTlsServer(options.tls, accept);
  admin.listen(options.adminPort ?? 0, host);
  await once(admin, "listening");
  const bound = admin.address();
  const adminPort = bound !== null && typeof bound === "object" ? bound.port : 0;

  return {
    host,
    adminPort,
    sipPort,
    secret,
    frames,
    clients: () => clients.size,
    stall: () => {
      for (const client of clients) client.isStalled = true;
    },
    hangUp: () => {
      for (const { socket } of clients) socket.destroy();
    },
    turnAway: (away) => {
      isAway = away;
    },
    babble: (bytes) => {
      for (const { socket } of clients) socket.write(bytes);
    },
    close: async () => {
      for (const { socket } of clients) socket.destroy();
      stack.close();
      const closed = [once(admin, "close"), once(udp, "close")];
      admin.close();
      udp.close();
      await Promise.all(closed);
    },
  };
}
