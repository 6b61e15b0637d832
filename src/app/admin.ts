import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { formatEndpoint } from "../net/endpoint.ts";
import { parseAddress, type Endpoint } from "../net/address.ts";
import type { Metrics } from "../observe/metrics.ts";
import type { ReloadOutcome } from "./reload.ts";

export interface AdminParts {
  readonly endpoint: Endpoint;
  readonly metrics: Metrics;
  /** A policy is loaded and the engine takes calls. */
  readonly isReady: () => boolean;
  readonly reload: () => Promise<ReloadOutcome>;
  readonly fault: (error: unknown) => void;
}

/** The administration server, bound. */
export interface Admin {
  /** `127.0.0.1:9464`, with the port that was really taken. */
  readonly address: string;
  readonly close: () => Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
  readonly allow?: string;
}

type Answer = (parts: AdminParts, request: IncomingMessage) => Reply | Promise<Reply>;

/** Bytes of a request body that are read and forgotten: no request of ours needs one. */
const mostBody = 4096;
const json = "application/json; charset=utf-8";

const routes: Readonly<Record<string, { readonly method: "GET" | "POST"; readonly answer: Answer }>> = {
  "/metrics": {
    method: "GET",
    answer: async ({ metrics }) => ({ status: 200, body: await metrics.render(), type: metrics.contentType }),
  },
  "/healthz": { method: "GET", answer: () => ({ status: 200, body: "alive\n" }) },
  "/readyz": {
    method: "GET",
    answer: ({ isReady }) =>
      isReady() ? { status: 200, body: "ready\n" } : { status: 503, body: "not ready\n" },
  },
  "/reload": {
    method: "POST",
    answer: async ({ reload }, request) => {
      if (!isLoopback(request.socket.remoteAddress)) {
        return { status: 403, body: "reload is for this machine only; send SIGHUP instead\n" };
      }
      const outcome = await reload();
      return {
        status: outcome.result === "ok" ? 200 : 422,
        body: `${JSON.stringify(outcome)}\n`,
        type: json,
      };
    },
  },
};

/** Binds the administration server; rejects when the address can't be had. */
export function openAdmin(parts: AdminParts): Promise<Admin> {
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
        address: formatEndpoint(
          bound !== null && typeof bound === "object" ? { address, port: bound.port } : parts.endpoint,
        ),
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}

async function serve(parts: AdminParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
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

function findAnswer(parts: AdminParts, request: IncomingMessage): Reply | Promise<Reply> {
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
