// Ends a call in set-up by order: a final answer to the caller, and a CANCEL to the next hops once they have answered.
import { Buffer } from "node:buffer";
import type { CallSlot } from "../../calls/calls.ts";
import { refusalStatus } from "../../judging/refusal.ts";
import { hopPort, branchFields, pathOf } from "../../routing/request-in-hand.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import { discardRoutes, followRoutes } from "../../routing/route.ts";
import { render } from "../../sip/edit.ts";
import { Header } from "../../sip/header.ts";
import { headerValue, nextHeader, type SipMessage } from "../../sip/message.ts";
import { formatBranch } from "../../sip/tag.ts";
import { statusOf } from "../../domain/reason.ts";
import type { CallSetup } from "../memory/call-setup.ts";
import type { ReleasedCall, ReleaseTally, SentInvite } from "../memory/released-calls.ts";
import { applyChanges } from "../messages/message-changes.ts";
import { refuse } from "../turn/answers.ts";
import { mostOctets } from "../turn/output.ts";
import { egressOf } from "../turn/peer-port.ts";
import {
  beginRequest,
  isOfCore,
  returnWorkspace,
  scanBeside,
  type Moment,
  type RequestTurn,
} from "../turn/turn.ts";
import { RELEASE_CAUSE, RELEASE_REASON } from "./bye.ts";
import { sendFollowing } from "./own-following.ts";
import { giveUpInvite, repeatAnswer } from "./stream-to-datagram.ts";

/** Ends the call in set-up; without the head of its INVITE it goes on. */
export function releaseSetup(moment: Moment, slot: CallSlot, tally: ReleaseTally): void {
  const { calls } = moment.proxy;
  const setup = calls.setupOf(slot);
  const text = calls.textOf(slot);
  const head = setup?.head;
  if (setup === undefined || head === undefined || text === undefined) {
    tally.notReleasable++;
    return;
  }
  const workspace = scanBeside(moment, Buffer.from(`${text}\r\n`, "latin1"));
  const source = moment.policy.trunkById(setup.trunk);
  const turn = beginRequest(moment, workspace, source, head);
  if (turn === undefined) tally.notReleasable++;
  else endSetup(turn, setup, tally);
  returnWorkspace(moment, workspace);
}

function endSetup(turn: RequestTurn, setup: CallSetup, tally: ReleaseTally): void {
  const { proxy, now, source, message } = turn;
  const { calls } = proxy;
  const { slot } = setup;
  const status =
    source === undefined ? statusOf(RELEASE_REASON) : refusalStatus(source.trunk, RELEASE_REASON);
  const sent = refuse(turn, status, RELEASE_REASON);
  if (sent !== undefined) repeatAnswer(turn, sent);
  const call: ReleasedCall = {
    name: calls.nameOf(slot),
    tally,
    invite: sentInvite(turn, setup),
    targets: targetsOf(setup),
    cancelled: [],
    tags: [],
    cseq: Math.max(calls.highestSequence(slot, "caller"), message.cseq),
    open: 0,
    sent: 0,
    unknown: 0,
  };
  proxy.released.add(call, now);
  tally.released++;
  const current = call.targets.at(-1);
  for (const hop of call.targets) giveUpAt(turn, hop);
  if (setup.isHeard && current !== undefined) cancelAt(turn, call, current);
  // A repeat of the INVITE meets the same answer from now on.
  calls.setSetup(slot, {
    ...setup,
    outcome: { kind: "reject", status, reason: RELEASE_REASON },
    sent: undefined,
    head: undefined,
  });
  calls.keepText(slot, "");
  calls.ended(slot, { by: "filter", how: "released", status, cause: RELEASE_CAUSE }, now);
}

/** The places where the INVITE may still ring. */
function targetsOf({ sent, outcome }: CallSetup): readonly Target[] {
  if (sent !== undefined) return sent.tried.filter((hop) => !sent.ended.includes(hop));
  return outcome.kind === "forward" ? [outcome.target] : [];
}

/** Returns the fields of the INVITE as it went on: the same changes of the same bytes give the same bytes. */
function sentInvite(turn: RequestTurn, { outcome }: CallSetup): SentInvite {
  const { message, routes, edits, request, proxy } = turn;
  (isOfCore(turn) ? followRoutes : discardRoutes)(message, routes, edits);
  if (outcome.kind === "forward" && outcome.changes !== undefined)
    applyChanges(message, edits, outcome.changes);
  const out = proxy.output.bufferFor(request.listener);
  const length = render(message, edits, out, mostOctets(request.listener));
  const workspace = scanBeside(turn, Buffer.from(out.subarray(0, Math.max(length, 0))));
  const invite = fieldsOf(workspace.message, turn);
  returnWorkspace(turn, workspace);
  return invite;
}

function fieldsOf(message: SipMessage, { request }: RequestTurn): SentInvite {
  let routes = "";
  for (let i = message.first[Header.route]!; i >= 0; i = nextHeader(message, Header.route, i))
    routes += `Route: ${headerValue(message, i)}\r\n`;
  return {
    uri: message.text.slice(message.uriStart, message.uriEnd),
    from: valueOf(message, Header.from),
    to: valueOf(message, Header.to),
    routes,
    path: pathOf(request),
    ingress: request.listener,
  };
}

function valueOf(message: SipMessage, id: typeof Header.from | typeof Header.to): string {
  const index = message.first[id]!;
  return index < 0 ? "" : headerValue(message, index);
}

/** The filter repeats an INVITE to a datagram hop for a caller on a stream: it does so no more. */
function giveUpAt(turn: RequestTurn, hop: Target): void {
  const { proxy, request } = turn;
  const egress = egressOf(turn, hop);
  if (egress === undefined || egress.isReliable || !request.listener.isReliable) return;
  const fields = branchFields(
    pathOf(request),
    hop.address,
    hopPort(egress, hop.port),
    request.listener.bound,
  );
  giveUpInvite(turn, formatBranch(request.listener.index, proxy.tags.mac("branch", fields)), hop.port);
}

/** Sends a CANCEL to a next hop that has answered the INVITE provisionally, once. */
function cancelAt(turn: RequestTurn, call: ReleasedCall, hop: Target): void {
  const egress = egressOf(turn, hop);
  if (egress !== undefined) sendCancel(turn, call, hop, egress);
}

/** Sends a CANCEL by `egress`, once for each next hop, and repeats it until it is answered. */
export function sendCancel({ proxy, now }: Moment, call: ReleasedCall, hop: Target, egress: Listener): void {
  const { invite, name } = call;
  if (invite === undefined || call.cancelled.includes(hop)) return;
  call.cancelled.push(hop);
  const { mac, port, bytes } = sendFollowing(proxy, "CANCEL", { invite, name, to: invite.to }, egress, hop);
  if (bytes === undefined) return;
  proxy.ownRequests.start(
    {
      method: "CANCEL",
      mac,
      listener: egress,
      address: hop.address,
      port,
      bytes: egress.isReliable ? undefined : Buffer.from(bytes),
      call,
    },
    now,
  );
}
