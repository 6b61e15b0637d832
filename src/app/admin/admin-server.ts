// The HTTP server of the admin address: its paths, its bounds and its replies.
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "node:net";
import { formatAddress, parseAddress, type Endpoint } from "../../net/address.ts";
import type { LineRequest } from "../lines/line-request.ts";
import type { AdminAccess } from "./admin-messages.ts";
import { createConnectionRoom } from "./connection-room.ts";
import { answerLineOrder, isLinePath } from "./line-route.ts";
import { answerQuarantinePage, QUARANTINE_PATH, type QuarantineSource } from "./quarantine-route.ts";
import type { Reply } from "./reply.ts";
import { bindSocket } from "./unix-socket.ts";
import { findDistrust, isLoopbackAddress } from "./request-trust.ts";

/** Where the admin address gets its answers. */
export interface AdminServerParts {
  readonly endpoint: Endpoint;
  readonly access: AdminAccess;
  readonly metrics: () => Promise<Reply>;
  /** The answer of `/healthz`: whether the call thread turns. */
  readonly health: () => Reply;
  /** The answer of `/readyz`: whether a policy is loaded and the engine takes calls. */
  readonly readiness: () => Reply;
  readonly reload: () => Promise<Reply>;
  /** Takes an order for a line. Left out: there is no such page. */
  readonly line?: (request: LineRequest) => Promise<Reply>;
  /** Takes orders for the quarantine, and lists it. Left out: there is no such page. */
  readonly quarantine?: QuarantineSource;
  /** Takes why the Unix socket can't be opened. The server is open without it. */
  readonly socketRefused?: (message: string) => void;
  readonly fault: (error: unknown) => void;
}

/** The administration server, bound. */
export interface AdminServer {
  /** The first endpoint, with the port that was bound. */
  readonly endpoint: Endpoint;
  readonly close: (closed: () => void) => void;
}

type Answer = (parts: AdminServerParts, request: IncomingMessage) => Reply | Promise<Reply>;

/** At most this many bytes of a request body are read. Only orders need a body. */
const mostBody = 4096;

/** Times for the head of a request, the whole request, and the TLS handshake before it. Milliseconds. */
const limits: ServerOptions & { readonly handshakeTimeout: number } = {
  headersTimeout: 2000,
  requestTimeout: 4000,
  keepAliveTimeout: 5000,
  connectionsCheckingInterval: 500,
  handshakeTimeout: 2000,
};

interface Route {
  readonly method: "GET" | "POST";
  readonly answer: Answer;
}

const routes: Readonly<Record<string, Route>> = {
  "/metrics": { method: "GET", answer: ({ metrics }) => metrics() },
  "/healthz": { method: "GET", answer: ({ health }) => health() },
  "/readyz": { method: "GET", answer: ({ readiness }) => readiness() },
  "/reload": {
    method: "POST",
    answer: ({ reload }, request) =>
      isLoopback(request.socket.remoteAddress)
        ? reload()
        : { status: 403, body: "reload is for this machine only; send SIGHUP instead\n" },
  },
};

/** Binds the administration server. Rejects when an address can't be bound; none is bound then. */
export async function openAdminServer(parts: AdminServerParts): Promise<AdminServer> {
  const { access, endpoint: first } = parts;
  const endpoints = [first, ...access.more];
  const names = new Set(access.hosts);
  for (const { address } of endpoints) {
    const parsed = parseAddress(address);
    if (parsed !== undefined) names.add(formatAddress(parsed));
  }
  const room = createConnectionRoom();
  const open: Server[] = [];
  const closeAll = (closed: () => void): void => {
    let left = open.length;
    if (left === 0) closed();
    for (const server of open) {
      server.close(() => {
        if (--left === 0) closed();
      });
      server.closeAllConnections();
    }
  };
  const bound: Endpoint[] = [];
  try {
    for (const endpoint of endpoints) {
      const parsed = parseAddress(endpoint.address);
      const isOnLoopback = parsed !== undefined && isLoopbackAddress(parsed);
      const take = (request: IncomingMessage, response: ServerResponse): void =>
        whenWhole(request, () => {
          room.began(request.socket);
          response.once("close", () => room.ended(request.socket));
          void serve(parts, { isOnLoopback, names }, request, response);
        });
      const { pair } = access;
      const server: Server =
        pair === undefined
          ? createServer(limits, take)
          : createSecureServer({ ...limits, cert: pair.certificate, key: pair.key }, take);
      server.on("connection", (socket: Socket) => room.take(socket));
      bound.push(await bind(server, endpoint, parts.fault));
      open.push(server);
    }
  } catch (error) {
    closeAll(() => undefined);
    throw error;
  }
  const socket = access.socket === undefined ? undefined : await openSocket(parts, access.socket);
  return {
    endpoint: bound[0] ?? first,
    close(closed) {
      if (socket === undefined) closeAll(closed);
      else socket.close(() => closeAll(closed));
    },
  };
}

/** Serves the Unix socket, where it can be opened. Who may open the file may ask everything. */
async function openSocket(
  parts: AdminServerParts,
  path: string,
): Promise<Pick<AdminServer, "close"> | undefined> {
  const room = createConnectionRoom();
  const server = createServer(limits, (request, response) => {
    takeBody(request, (body) => {
      room.began(request.socket);
      response.once("close", () => room.ended(request.socket));
      void serve(parts, { body }, request, response);
    });
  });
  server.on("connection", (socket: Socket) => room.take(socket));
  try {
    const { remove } = await bindSocket(server, path);
    server.on("error", parts.fault);
    return {
      close(closed) {
        remove();
        server.close(() => closed());
        server.closeAllConnections();
      },
    };
  } catch (error) {
    parts.socketRefused?.(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Resolves with the endpoint and the port that was bound. */
function bind(
  server: Server,
  { address, port }: Endpoint,
  fault: (error: unknown) => void,
): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.off("error", reject);
      server.on("error", fault);
      const bound = server.address();
      resolve({ address, port: bound !== null && typeof bound === "object" ? bound.port : port });
    });
  });
}

/** Calls `then` when the body has come. A request whose body does not come sets nothing off, and its connection may give way. */
function whenWhole(request: IncomingMessage, then: () => void): void {
  let size = 0;
  request.on("data", (chunk: Uint8Array) => {
    size += chunk.length;
    if (size > mostBody) request.destroy();
  });
  request.once("end", then);
}

/** Calls `then` when the body has come; with undefined when it is too large, and then nothing more is read. */
function takeBody(request: IncomingMessage, then: (body: Uint8Array | undefined) => void): void {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const end = (): void => then(Buffer.concat(chunks));
  request.on("data", (chunk: Uint8Array) => {
    size += chunk.length;
    if (size <= mostBody) chunks.push(chunk);
    else {
      request.off("end", end);
      request.removeAllListeners("data");
      request.pause();
      then(undefined);
    }
  });
  request.once("end", end);
}

/** A request on the Unix socket: its body; undefined: it was too large. */
interface OnSocket {
  readonly body: Uint8Array | undefined;
}

/** Under which names the listener of a request is asked. */
interface ListenerNames {
  readonly isOnLoopback: boolean;
  readonly names: ReadonlySet<string>;
}

async function serve(
  parts: AdminServerParts,
  listener: ListenerNames | OnSocket,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const reply = await ("body" in listener
      ? findSocketAnswer(parts, listener, request)
      : findAnswer(parts, listener, request));
    if (reply.status === 413) response.setHeader("connection", "close");
    send(response, reply, request.method === "HEAD");
  } catch (error) {
    parts.fault(error);
    send(response, { status: 500, body: "internal fault; see the log\n" }, false);
  }
}

function findAnswer(
  parts: AdminServerParts,
  { isOnLoopback, names }: ListenerNames,
  request: IncomingMessage,
): Reply | Promise<Reply> {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  const { headers, headersDistinct, socket } = request;
  if ((headersDistinct["host"]?.length ?? 0) > 1) return { status: 400, body: "more than one Host\n" };
  const distrust = findDistrust(
    {
      host: headers.host,
      origin: headers.origin,
      fetchSite: headersDistinct["sec-fetch-site"]?.join(),
      localAddress: socket.localAddress,
    },
    { isPublic: route?.method === "GET", isLoopback: isOnLoopback, names },
  );
  if (distrust !== undefined) return { status: 403, body: `${distrust}\n` };
  return answerRoute(parts, path, request);
}

/** Answers on the Unix socket: every page, and orders for lines and for the quarantine. No browser has a reason to ask here. */
function findSocketAnswer(
  parts: AdminServerParts,
  { body }: OnSocket,
  request: IncomingMessage,
): Reply | Promise<Reply> {
  const { headers, headersDistinct } = request;
  if (headers.origin !== undefined || headersDistinct["sec-fetch-site"] !== undefined)
    return { status: 403, body: "the request comes from another origin\n" };
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  if (isLinePath(path) && parts.line !== undefined) return answerLineOrder(request, path, body, parts.line);
  if (path === QUARANTINE_PATH && parts.quarantine !== undefined)
    return answerQuarantinePage(request, body, parts.quarantine);
  if (body === undefined) return { status: 413, body: "the body is too large\n" };
  if (path === "/reload" && request.method === "POST") return parts.reload();
  return answerRoute(parts, path, request);
}

function answerRoute(
  parts: AdminServerParts,
  path: string,
  request: IncomingMessage,
): Reply | Promise<Reply> {
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return { status: 404, body: `try ${Object.keys(routes).join(", ")}\n` };
  const method = request.method === "HEAD" ? "GET" : request.method;
  if (method !== route.method) return { status: 405, body: `${route.method} only\n`, allow: route.method };
  return route.answer(parts, request);
}

function send(
  response: ServerResponse,
  { status, body, type = "text/plain; charset=utf-8", allow }: Reply,
  isHead: boolean,
): void {
  response.statusCode = status;
  response.setHeader("content-type", type);
  response.setHeader("cache-control", "no-store");
  if (allow !== undefined) response.setHeader("allow", allow);
  response.end(isHead ? undefined : body);
}

function isLoopback(text: string | undefined): boolean {
  const address = parseAddress(text ?? "");
  return address !== undefined && isLoopbackAddress(address);
}
