// The path /api/quarantine of the admin thread: GET lists the quarantine, POST takes an order for it.
import type { IncomingMessage } from "node:http";
import { type QuarantineRequest, readQuarantineRequest } from "../quarantine/quarantine-request.ts";
import { readOrderBody, refuse } from "./order-body.ts";
import type { Reply } from "./reply.ts";

export const QUARANTINE_PATH = "/api/quarantine";

/** Where the page gets its answers. */
export interface QuarantineSource {
  readonly order: (request: QuarantineRequest) => Promise<Reply>;
  readonly list: () => Promise<Reply>;
}

/** @param body as received; undefined: it was too large */
export function answerQuarantinePage(
  request: IncomingMessage,
  body: Uint8Array | undefined,
  { order, list }: QuarantineSource,
): Reply | Promise<Reply> {
  if (request.method === "GET") return list();
  if (request.method !== "POST") return { status: 405, body: "GET or POST\n", allow: "GET, POST" };
  const sent = readOrderBody(request, body);
  if ("refusal" in sent) return sent.refusal;
  const read = readQuarantineRequest(sent.value);
  return typeof read === "string" ? refuse(400, read) : order(read);
}
