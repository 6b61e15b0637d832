// ACK of a refusal, and CANCEL: both follow the INVITE whose branch they carry.
import { countProtocolError } from "../../observe/counters.ts";
import { consumeOwn, followRoutes, foreignRoute } from "../../routing/route.ts";
import { ledgerKey, type LedgerEntry } from "../memory/ledger.ts";
import { applyChanges, withheld } from "../messages/message-changes.ts";
import { followCall, sendToAll, sentCallOf } from "../sending/failover.ts";
import { eitherTransport, forward, steadyTargetOf } from "../sending/forward.ts";
import { acknowledged } from "../sending/stream-to-datagram.ts";
import { hasOwnTag, refuseRequest } from "../turn/answers.ts";
import { isOfCore, isOfTrunk, senderOf, type RequestTurn } from "../turn/turn.ts";
import { inDialog } from "./in-dialog.ts";

/** ACK of a refusal, and CANCEL: both follow the INVITE whose branch they carry (RFC 3261 sections 9.1, 17.1.1.3). */
export function hopByHop(turn: RequestTurn): void {
  const { proxy, message, now, request, routes, source } = turn;
  if (message.method === "ACK" && hasOwnTag(turn)) {
    acknowledged(turn);
    return;
  }
  const seen = proxy.ledger.get(ledgerKey(senderOf(turn), request, message.cseq), now);
  if (seen !== undefined && seen.outcome !== "forward") return;
  const call = sentCallOf(turn);
  if (seen === undefined && call === undefined) {
    if (routes.token !== undefined || source === undefined) {
      inDialog(turn);
      return;
    }
    // Nothing was sent on that these could follow, but what was under way when the trunk began to redirect.
    if (source.trunk.mode === "redirect") return;
  }
  // An INVITE with a Route of its own choice did not pass; what follows one may not have it either.
  if (!isOfCore(turn) && foreignRoute(routes) !== undefined) refuseRequest(turn, "routing-refused");
  else if (call !== undefined) followCall(turn, call);
  else followInvite(turn, seen);
}

/** To where the INVITE went, as far as anything says so: its entry in the ledger, else the policy. */
function followInvite(turn: RequestTurn, seen: (LedgerEntry & { outcome: "forward" }) | undefined): void {
  const { proxy, message, edits, routes, source } = turn;
  const isCore = isOfCore(turn);
  const onward = (isCore ? followRoutes : consumeOwn)(message, routes, edits);
  // Whose INVITE nobody remembers may have had its number withheld. Peers tell transactions by the branch (RFC 3261 section 17.2.3).
  const isWithheld =
    seen === undefined
      ? source?.mayWithhold === true || proxy.withheldOn.has(senderOf(turn))
      : seen.changes?.isWithheld === true;
  if (isWithheld) applyChanges(message, edits, withheld);
  // Without a ledger entry (a restart, another node) both still go where their INVITE went; neither can begin a call.
  const target = seen?.target ?? (isOfTrunk(turn) ? steadyTargetOf(turn, onward) : undefined);
  if (target === undefined) countProtocolError(proxy.counters, senderOf(turn), 481);
  else if (seen === undefined && !isCore && source?.trunk.tcpAbove !== undefined)
    sendToAll(turn, eitherTransport(turn, target), isWithheld);
  else forward(turn, target);
}
