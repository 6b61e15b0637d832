// Asks the running filter over its Unix socket.
import { request as ask } from "node:http";
import type { Millis } from "../../domain/time.ts";
import type { LineAnswer, LineRequest, LineTaken } from "../../app/lines/line-request.ts";

/** What came of a request to the filter: `silent` where no filter serves the socket. */
export type Unasked = { readonly kind: "silent" } | { readonly kind: "failed"; readonly why: string };

/** What came of an order. */
export type Asked = { readonly kind: "answered"; readonly answer: LineAnswer } | Unasked;

/** The answer of the filter as it came. */
export interface SocketAnswer {
  readonly kind: "answered";
  readonly status: number;
  readonly text: string;
}

/** A request to the filter, and what its answer is bounded by. */
export interface SocketRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** JSON. */
  readonly body?: string;
  /** Longest wait for the answer. Milliseconds. */
  readonly mostWait: Millis;
  /** A longer answer is none of a filter. Characters. */
  readonly mostAnswer: number;
}

/** Longest wait for the answer. An order that releases calls waits for their ends: 64·T1 and more. Milliseconds. */
const MOST_WAIT: Millis = 60_000;
const MOST_ANSWER = 2 ** 20;

/** Errors of a socket that nobody serves. */
const unserved: ReadonlySet<string | undefined> = new Set(["ENOENT", "ECONNREFUSED", "ENOTDIR"]);

/** Asks the filter that serves `socketPath`. Never rejects. */
export function askSocket(
  socketPath: string,
  { method, path, body, mostWait, mostAnswer }: SocketRequest,
): Promise<SocketAnswer | Unasked> {
  const headers =
    body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const failed = (why: string): void => resolve({ kind: "failed", why });
    const request = ask({ socketPath, path, method, headers, timeout: mostWait }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > mostAnswer) response.destroy(new Error("its answer is too long"));
      });
      response.once("error", (error) => failed(error.message));
      response.once("end", () => resolve({ kind: "answered", status: response.statusCode ?? 0, text }));
    });
    request.once("timeout", () => request.destroy(new Error(`no answer within ${mostWait / 1000} s`)));
    request.once("error", (error: NodeJS.ErrnoException) => {
      if (unserved.has(error.code)) resolve({ kind: "silent" });
      else
        failed(error.code === "EACCES" ? "permission denied; ask as the user of the filter" : error.message);
    });
    request.end(body);
  });
}

/** Sends an order to the filter that serves `socketPath`. Never rejects. */
export async function askFilter(socketPath: string, line: LineRequest): Promise<Asked> {
  const { kind, name, ...body } = line;
  const path = `/api/lines/${kind === undefined ? name : `${kind}/${name}`}`;
  const asked = await askSocket(socketPath, {
    method: "POST",
    path,
    body: JSON.stringify(body),
    mostWait: MOST_WAIT,
    mostAnswer: MOST_ANSWER,
  });
  return asked.kind === "answered" ? readAnswer(asked.status, asked.text) : asked;
}

function readAnswer(status: number, text: string): Asked {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "failed", why: `status ${status}: ${text.slice(0, 200).trim()}` };
  }
  if (status === 200 && isTaken(value))
    return { kind: "answered", answer: { result: "taken", taken: value } };
  const message =
    typeof value === "object" && value !== null && "error" in value
      ? String(value.error)
      : text.slice(0, 200);
  if (status !== 400 && status !== 404 && status !== 409 && status !== 503)
    return { kind: "failed", why: `status ${status}: ${message}` };
  return { kind: "answered", answer: { result: "refused", status, message } };
}

function isTaken(value: unknown): value is LineTaken {
  return (
    typeof value === "object" &&
    value !== null &&
    "line" in value &&
    "state" in value &&
    "trunks" in value &&
    "released" in value
  );
}
