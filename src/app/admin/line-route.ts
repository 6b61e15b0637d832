// The path POST /api/lines/{trunk|lessee}/{id} of the admin thread: from an HTTP request to a line order.
import type { IncomingMessage } from "node:http";
import { readLineName } from "../lines/line-names.ts";
import { type LineRequest, readLineRequest } from "../lines/line-request.ts";
import { readOrderBody, refuse } from "./order-body.ts";
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
  const sent = readOrderBody(request, body);
  if ("refusal" in sent && sent.refusal.status !== 400) return sent.refusal;
  const [first = "", second, ...rest] = path.slice(PREFIX.length).split("/");
  const text = second === undefined ? first : `${first}:${second}`;
  const name =
    rest.length > 0 || (second === undefined && first.includes(":")) ? undefined : readLineName(text);
  if (name === undefined) return refuse(404, `expected ${PREFIX}trunk/ID or ${PREFIX}lessee/ID`);
  if ("refusal" in sent) return sent.refusal;
  const read = readLineRequest(name.kind, name.name, sent.value);
  return typeof read === "string" ? refuse(400, read) : order(read);
}
