// The path POST /api/lines/{trunk|lessee}/{id} of the admin thread: from an HTTP request to a line order.
import type { IncomingMessage } from "node:http";
import { readLineName } from "../lines/line-names.ts";
import { type LineRequest, readLineRequest } from "../lines/line-request.ts";
import type { Reply } from "./reply.ts";

const PREFIX = "/api/lines/";

/** True for a path of this page. */
export function isLinePath(path: string): boolean {
  return path.startsWith(PREFIX);
}

/**
 * Answers an order. `/api/lines/NAME` means the one line that bears the name.
 *
 * @param path of the request, without query
 * @param body as received; undefined: it was too large
 */
export function answerLineOrder(
  request: IncomingMessage,
  path: string,
  body: Uint8Array | undefined,
  order: (request: LineRequest) => Promise<Reply>,
): Reply | Promise<Reply> {
  if (request.method !== "POST") return { status: 405, body: "POST only\n", allow: "POST" };
  if (body === undefined) return refuse(413, "the body is too large");
  if (!isJson(request.headers["content-type"])) return refuse(415, "Content-Type must be application/json");
  const [first = "", second, ...rest] = path.slice(PREFIX.length).split("/");
  const text = second === undefined ? first : `${first}:${second}`;
  const name =
    rest.length > 0 || (second === undefined && first.includes(":")) ? undefined : readLineName(text);
  if (name === undefined) return refuse(404, `expected ${PREFIX}trunk/ID or ${PREFIX}lessee/ID`);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch {
    return refuse(400, "the body is no JSON");
  }
  const read = readLineRequest(name.kind, name.name, value);
  return typeof read === "string" ? refuse(400, read) : order(read);
}

function isJson(type: string | undefined): boolean {
  return type?.split(";", 1)[0]?.trim().toLowerCase() === "application/json";
}

function refuse(status: number, message: string): Reply {
  const body = `${JSON.stringify({ error: message })}\n`;
  return { status, body, type: "application/json; charset=utf-8" };
}
