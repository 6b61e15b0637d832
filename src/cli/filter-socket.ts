// Asks the running filter over its Unix socket.
import { request as ask } from "node:http";
import type { LineAnswer, LineRequest, LineTaken } from "../app/lines/line-request.ts";

/** What came of a request to the filter. */
export type Asked =
  | { readonly kind: "answered"; readonly answer: LineAnswer }
  /** No filter serves the socket. */
  | { readonly kind: "silent" }
  | { readonly kind: "failed"; readonly why: string };

/** Longest wait for the answer. An order that releases calls waits for their ends: 64·T1 and more. Milliseconds. */
const MOST_WAIT = 60_000;
/** A longer answer is none of a filter. Octets. */
const MOST_ANSWER = 2 ** 20;

/** Errors of a socket that nobody serves. */
const unserved: ReadonlySet<string | undefined> = new Set(["ENOENT", "ECONNREFUSED", "ENOTDIR"]);

/** Sends an order to the filter that serves `socketPath`. Never rejects. */
export function askFilter(socketPath: string, line: LineRequest): Promise<Asked> {
  const { kind, name, ...body } = line;
  const path = `/api/lines/${kind === undefined ? name : `${kind}/${name}`}`;
  const text = JSON.stringify(body);
  return new Promise((resolve) => {
    const failed = (why: string): void => resolve({ kind: "failed", why });
    const request = ask(
      {
        socketPath,
        path,
        method: "POST",
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) },
        timeout: MOST_WAIT,
      },
      (response) => {
        let answer = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          answer += chunk;
          if (answer.length > MOST_ANSWER) response.destroy(new Error("its answer is too long"));
        });
        response.once("error", (error) => failed(error.message));
        response.once("end", () => resolve(readAnswer(response.statusCode ?? 0, answer)));
      },
    );
    request.once("timeout", () => request.destroy(new Error(`no answer within ${MOST_WAIT / 1000} s`)));
    request.once("error", (error: NodeJS.ErrnoException) => {
      if (unserved.has(error.code)) resolve({ kind: "silent" });
      else
        failed(error.code === "EACCES" ? "permission denied; ask as the user of the filter" : error.message);
    });
    request.end(text);
  });
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
