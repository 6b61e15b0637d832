// The connection to a drachtio server through drachtio-srf. No other file uses that package.
import type { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { createFrameReader, type FrameHandlers } from "./frames.ts";
import { createOrderQueue } from "./order-queue.ts";
import { part, type DrachtioServer, type TlsOptions } from "./place.ts";
import { openReports } from "./report-line.ts";

/**
 * A request as drachtio-srf hands it over, without header fields. Parsed by the package, fields lose values, and a
 * display name can forge them.
 */
export interface SipRequest {
  readonly method: string;
  readonly source_address: string;
  readonly source_port: number;
  /** "udp", "tcp", "tls", "ws" or "wss". */
  readonly protocol: string;
  /** The address that the server received it on: "192.0.2.1:5060". */
  readonly receivedOn?: string;
  /** UTC time of day at the server: "08:15:02.123456". */
  readonly stackTime: string;
}

/** The result of passing a request on. */
export interface ProxyResult {
  readonly finalStatus?: number;
  readonly responses: readonly { readonly address: string; readonly port: number }[];
}

/** Answers one request. The callbacks run when the server has obeyed or has said why not. */
export interface SipResponse {
  readonly req: SipRequest;
  send(
    status: number,
    options: { readonly headers: Readonly<Record<string, string>> },
    done: (error: unknown) => void,
  ): void;
}

interface ProxyOptions {
  readonly recordRoute: true;
  readonly followRedirects: false;
  readonly forking: "sequential";
  readonly provisionalTimeout: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The part of the package that is used here. The package's own declarations name fields that never exist, and leave out
 * others that do.
 */
interface Srf {
  on(event: "connect", listener: (error: Error | null, hostport?: string, version?: string) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "close", listener: () => void): this;
  use(method: string, handler: (request: SipRequest, response: SipResponse) => void): void;
  connect(options: {
    readonly host: string;
    readonly port: number;
    readonly secret: string;
    readonly tls?: TlsOptions;
    readonly reconnect: { readonly maxAttempts: 1 };
  }): { readonly client: Agent };
  proxyRequest(
    request: SipRequest,
    targets: string[],
    options: ProxyOptions,
    done: (error: unknown, result?: ProxyResult) => void,
  ): void;
}

/**
 * An object below the published interface. It is the only way to the socket, and to the answer to a ping, which the
 * package throws away.
 */
interface Agent {
  readonly mapServer: ReadonlyMap<
    Socket,
    { readonly pendingRequests: Map<string, (token: string[]) => void> }
  >;
  readonly wp: EventEmitter & { send: (socket: Socket, message: string) => string; closing?: boolean };
}

type SrfClass = new () => Srf;

export interface DrachtioLinkHandlers {
  /** The server has accepted the secret. `hostports`: where it takes SIP, "udp/192.0.2.1:5060,tcp/192.0.2.1:5060". */
  readonly connected: (hostports: string) => void;
  /** The link is lost or could not be made. Called once. */
  readonly lost: (why: string) => void;
  /** `message`: its octets as received; the top Via has `received` and `rport`. */
  readonly request: (request: SipRequest, response: SipResponse, message: Buffer) => void;
  /** The server reports on a call, see {@link FrameHandlers}. */
  readonly reported: FrameHandlers["reported"];
  /** An exception of the package or of a handler. */
  readonly fault: (error: unknown) => void;
}

/** The connections to a server, from the attempt to make them to the loss of one. */
export interface DrachtioLink {
  /** Asks the server for a sign of life. */
  ping(answered: () => void): void;
  /** Brings what a server holds back, see {@link createOrderQueue}. */
  nudge(): void;
  answer(
    response: SipResponse,
    status: number,
    fields: Readonly<Record<string, string>>,
    done: (error: unknown) => void,
  ): void;
  /** `timeout`: milliseconds without a provisional answer after which the next target is tried. */
  proxy(
    request: SipRequest,
    targets: readonly string[],
    fields: Readonly<Record<string, string>>,
    timeout: number,
    done: (error: unknown, result?: ProxyResult) => void,
  ): void;
  /** Gives the link up. `lost` is called with `why`. */
  close(why: string): void;
  /** Asks the server for no more requests. Calls back when none will come. */
  retire(done: () => void): void;
}

export type OpenDrachtioLink = (
  server: DrachtioServer,
  withReports: boolean,
  handlers: DrachtioLinkHandlers,
) => DrachtioLink;

/** Methods that are registered, so that the server asks and doesn't answer 503 by itself. */
const METHODS = [
  "invite",
  "options",
  "register",
  "message",
  "info",
  "notify",
  "subscribe",
  "publish",
] as const;

/**
 * A variable, not a literal in the import: the declarations describe another package than the one that runs, and it may
 * not be installed.
 */
const PACKAGE: string = "drachtio-srf";

/** Loads drachtio-srf. Rejects, in words, where it isn't installed. */
export async function loadDrachtio(): Promise<OpenDrachtioLink> {
  let loaded: { readonly default: unknown };
  try {
    loaded = await import(PACKAGE);
  } catch (error) {
    throw new Error("drachtio-srf is not installed: npm install drachtio-srf@5.0.29", { cause: error });
  }
  const Srf = loaded.default;
  if (!isSrfClass(Srf)) throw new Error("drachtio-srf exports no class: 5.0.29 is what this engine knows");
  return (server, withReports, handlers) => openLink(Srf, server, withReports, handlers);
}

function isSrfClass(value: unknown): value is SrfClass {
  return typeof value === "function";
}

/**
 * One attempt to connect. Every attempt gets an instance of its own: the package's reconnection has no bound, and
 * forgets TLS (drachtio-srf #211).
 */
function openLink(
  Srf: SrfClass,
  server: DrachtioServer,
  withReports: boolean,
  handlers: DrachtioLinkHandlers,
): DrachtioLink {
  const { host, port, secret, tls } = server;
  const srf = new Srf();
  let isLost = false;
  let socket: Socket | undefined;
  /** Connections that aren't ready yet. */
  let awaited = withReports ? 2 : 1;
  let sipPlaces = "";
  const reports = withReports
    ? openReports(server, {
        reported: handlers.reported,
        ready,
        lost: lose,
        fault: handlers.fault,
      })
    : undefined;

  function ready(): void {
    awaited--;
    if (awaited === 0 && !isLost) handlers.connected(sipPlaces);
  }

  function lose(why: string): void {
    if (isLost) return;
    isLost = true;
    client.wp.closing = true;
    if (socket !== undefined) part(socket);
    reports?.close();
    handlers.lost(why);
  }

  function ping(answered: () => void): void {
    if (socket === undefined) return;
    const pending = client.mapServer.get(socket)?.pendingRequests;
    pending?.set(client.wp.send(socket, "ping"), answered);
  }

  for (const method of METHODS) {
    srf.use(method, (request, response) => {
      if (!isLost) handlers.request(request, response, frames.message);
    });
  }
  srf.on("connect", (error, hostports) => {
    if (error !== null && error !== undefined) lose("the secret was refused");
    else {
      sipPlaces = hostports ?? "";
      // The registrations precede this ping: calls come from its answer on.
      ping(ready);
    }
  });
  srf.on("error", (error) => lose(error.message));
  srf.on("close", () => lose("the server closed the connection"));
  const { client } = srf.connect({
    host,
    port,
    secret,
    reconnect: { maxAttempts: 1 },
    ...(tls === undefined ? {} : { tls }),
  });
  client.wp.on("connect", (opened: Socket) => {
    socket = opened;
    if (isLost) part(opened);
    else readFrames(opened);
  });
  const orders = createOrderQueue((text) => socket?.write(text));
  const sendAtOnce = client.wp.send.bind(client.wp);
  client.wp.send = (to, order) => {
    // A call waits for no other order, and none waits for a call: a passed-on one is answered at its end.
    if (order.startsWith("sip|") || order.startsWith("proxy|")) return sendAtOnce(to, order);
    socket ??= to;
    const id = randomUUID();
    orders.give(id, order);
    return id;
  };
  const frames = createFrameReader({
    frame(text) {
      orders.take(text);
      client.wp.emit("msg", socket, text);
    },
    reported: handlers.reported,
  });

  /**
   * Reads the stream in place of the package's own reader. Catches what the package throws: that would end the process.
   */
  function readFrames(opened: Socket): void {
    opened.removeAllListeners("data");
    opened.on("data", (bytes: Buffer) => {
      try {
        frames.read(bytes);
      } catch (error) {
        handlers.fault(error);
        lose("the server sent what can't be read");
      }
    });
  }

  return {
    nudge() {
      orders.nudge();
      reports?.nudge();
    },
    ping: (answered) => ping(() => (reports === undefined ? answered() : reports.ping(answered))),
    answer(response, status, headers, done) {
      response.send(status, { headers }, done);
    },
    proxy(request, targets, headers, timeout, done) {
      const options: ProxyOptions = {
        recordRoute: true,
        followRedirects: false,
        forking: "sequential",
        provisionalTimeout: `${timeout}ms`,
        headers,
      };
      srf.proxyRequest(request, [...targets], options, done);
    },
    close: lose,
    retire(done) {
      if (socket === undefined) return;
      // The server removes the client from every list, whatever verb is named.
      client.wp.send(socket, "remove_route|invite");
      ping(() => (reports === undefined ? done() : reports.retire(done)));
    },
  };
}
