// The HTTP server of the admin address: its paths, its bounds and its replies.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parseAddress, type Endpoint } from "../../net/address.ts";

/** Where the admin address gets its answers. */
export interface AdminServerParts {
  readonly endpoint: Endpoint;
  readonly metrics: () => Promise<Reply>;
  /** The answer of `/healthz`: whether the call thread turns. */
  readonly health: () => Reply;
  /** The answer of `/readyz`: whether a policy is loaded and the engine takes calls. */
  readonly readiness: () => Reply;
  readonly reload: () => Promise<Reply>;
  readonly fault: (error: unknown) => void;
}

/** The administration server, bound. */
export interface AdminServer {
  /** The endpoint with the port that was bound. */
  readonly endpoint: Endpoint;
  readonly close: (closed: () => void) => void;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** Media type; plain text when left out. */
  readonly type?: string;
  readonly allow?: string;
}

type Answer = (parts: AdminServerParts, request: IncomingMessage) => Reply | Promise<Reply>;

/** At most this many bytes of a request body are read. They are ignored: no request needs a body. */
const mostBody = 4096;

const routes: Readonly<Record<string, { readonly method: "GET" | "POST"; readonly answer: Answer }>> = {
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

/** Binds the administration server. Rejects when the address can't be bound. */
export function openAdminServer(parts: AdminServerParts): Promise<AdminServer> {
  const server = createServer(
    { headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 5000 },
    (request, response) => {
      void serve(parts, request, response);
    },
  );
  server.maxConnections = 64;
  const { address, port } = parts.endpoint;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.off("error", reject);
      server.on("error", parts.fault);
      const bound = server.address();
      resolve({
        endpoint:
          bound !== null && typeof bound === "object" ? { address, port: bound.port } : parts.endpoint,
        close(closed) {
          server.close(closed);
          server.closeAllConnections();
        },
      });
    });
  });
}

async function serve(
  parts: AdminServerParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let size = 0;
  request.on("data", (chunk: Uint8Array) => {
    size += chunk.length;
    if (size > mostBody) request.destroy();
  });
  try {
    send(response, await findAnswer(parts, request), request.method === "HEAD");
  } catch (error) {
    parts.fault(error);
    send(response, { status: 500, body: "internal fault; see the log\n" }, false);
  }
}

function findAnswer(parts: AdminServerParts, request: IncomingMessage): Reply | Promise<Reply> {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
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
  if (address === undefined) return false;
  return address.bits === 32 ? address.value >> 24n === 127n : address.value === 1n;
}
