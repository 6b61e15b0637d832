// The body of an order over HTTP: JSON of a bounded size, or the refusal.
import type { IncomingMessage } from "node:http";
import type { Reply } from "./reply.ts";

/**
 * Reads the body of a POST.
 *
 * @param body as received; undefined: it was too large
 */
export function readOrderBody(
  request: IncomingMessage,
  body: Uint8Array | undefined,
): { readonly value: unknown } | { readonly refusal: Reply } {
  if (request.method !== "POST") return { refusal: { status: 405, body: "POST only\n", allow: "POST" } };
  if (body === undefined) return { refusal: refuse(413, "the body is too large") };
  if (!isJson(request.headers["content-type"]))
    return { refusal: refuse(415, "Content-Type must be application/json") };
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return { value };
  } catch {
    return { refusal: refuse(400, "the body is no JSON") };
  }
}

function isJson(type: string | undefined): boolean {
  return type?.split(";", 1)[0]?.trim().toLowerCase() === "application/json";
}

export function refuse(status: number, message: string): Reply {
  const body = `${JSON.stringify({ error: message })}\n`;
  return { status, body, type: "application/json; charset=utf-8" };
}
