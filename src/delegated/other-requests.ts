// Requests that begin no call: another stack carries calls only, so OPTIONS is answered and everything else refused.
import { carriageOf, ordinaryMethods } from "../domain/method.ts";
import { refusalStatus } from "../judging/refusal.ts";
import {
  tellRefused,
  type RefusalTeller,
  type RequestOfTrunk,
  type RequestRefusal,
} from "../judging/refused-requests.ts";
import { answer, NO_FIELDS, type Fields, type Order } from "./orders.ts";

const allowed: Fields = { Allow: ordinaryMethods.allow };

/** Answers a request that is no INVITE, or an INVITE inside a dialog. Refusals are told. */
export function answerOther(teller: RefusalTeller, request: RequestOfTrunk): Order {
  const { trunk } = request.source;
  const { method } = request.message;
  // The server itself passes or refuses requests of a dialog. None of them should come here.
  if (method === "INVITE") return refuse(teller, request, dialogUnknown, NO_FIELDS);
  if (method === "OPTIONS" && carriageOf(trunk.methods, method) !== "refuse")
    return answer(200, { ...allowed, Accept: "application/sdp" });
  const fault = `${method} is not carried by this engine`;
  return refuse(teller, request, { reason: "method-not-allowed", facts: { fault } }, allowed);
}

type OwnRefusal = Pick<RequestRefusal, "reason" | "facts">;

const dialogUnknown: OwnRefusal = {
  reason: "dialog-unknown",
  facts: { fault: "an INVITE of a dialog, which the server should carry by itself" },
};

function refuse(teller: RefusalTeller, request: RequestOfTrunk, refusal: OwnRefusal, fields: Fields): Order {
  const status = refusalStatus(request.source.trunk, refusal.reason);
  tellRefused(teller, request, { as: "kind", status, ...refusal });
  return answer(status, fields);
}
