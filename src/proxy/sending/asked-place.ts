// The place that a request went to: a parameter of our Via, by which a peer may answer from another port or node.
import { hopPort, branchFields, type TransactionPath } from "../../routing/request-in-hand.ts";
import type { Listener, Target } from "../../routing/listener.ts";
import { createPen, putText, textFrom, type OctetPen } from "../../sip/octet-pen.ts";
import { putPlace, readTarget } from "../memory/dialog-token.ts";
import { trunkAt, trunkOf } from "../turn/peer-port.ts";
import type { ResponseTurn } from "../turn/turn.ts";

/**
 * Name of the parameter. It stands beside the branch, whose MAC covers the place: nobody can state another one. Peers
 * return it with the Via (RFC 3261 section 8.2.6.2). A peer that drops it must answer from where it was asked.
 */
const ASKED = ";st=";

/** Writes the parameter for a request that goes to a target. */
export function putPlaceParam(pen: OctetPen, target: Target): void {
  putText(pen, ASKED);
  putPlace(pen, target);
}

const written = createPen();

/** Returns the parameter for a request that goes to a target. */
export function placeParam(target: Target): string {
  written.at = 0;
  putPlaceParam(written, target);
  return textFrom(written, 0);
}

/** Our Via on top of a response, and what its branch is bound to beside the place. */
export interface StatedVia {
  readonly value: string;
  /** The position behind the branch, and the end of the Via value. */
  readonly branchEnd: number;
  readonly end: number;
  /** The MAC of the branch. */
  readonly mac: string;
  readonly path: TransactionPath;
  readonly ingress: Listener;
}

/** Why a response is not one that we asked for, in words for the log. */
export type StrayReason =
  | "it can't be read or sent on"
  | "its Via is none of ours"
  | "no request of ours asked for it"
  | "its request went to another peer";

/**
 * Returns the turn as if the response came from the place that was asked. RFC 3261 matches a response by Via and branch
 * alone (sections 17.1.3, 18.1.2): gateways answer from another port, clusters from another address. The branch must
 * prove the place, and the answer must come from the same peer: the same trunk, or the same address where no trunk
 * matches the one that answers.
 */
export function asAsked(turn: ResponseTurn, via: StatedVia): ResponseTurn | StrayReason {
  const { listener, address, port } = turn;
  if (proves(turn, via, address, port)) return turn;
  const asked = statedPlace(via);
  if (asked === undefined || asked.transport !== listener.transport) return "no request of ours asked for it";
  if (!proves(turn, via, asked.address, asked.port)) return "no request of ours asked for it";
  if (!isSamePeer(turn, asked)) return "its request went to another peer";
  return { ...turn, address: asked.address, port: asked.port };
}

function proves(
  { proxy, listener }: ResponseTurn,
  { path, ingress, mac }: StatedVia,
  address: string,
  port: number,
): boolean {
  return (
    proxy.tags.mac("branch", branchFields(path, address, hopPort(listener, port), ingress.bound)) === mac
  );
}

function statedPlace({ value, branchEnd, end }: StatedVia): Target | undefined {
  const at = value.indexOf(ASKED, branchEnd);
  if (at < 0 || at >= end) return undefined;
  const start = at + ASKED.length;
  let stop = start;
  while (stop < end && !endsParam(value.charCodeAt(stop))) stop++;
  return readTarget(value.slice(start, stop));
}

/** True for ";" and white space. */
function endsParam(c: number): boolean {
  return c === 0x3b || c <= 0x20;
}

/** True where the sender of a response and the place that was asked are one peer. */
export function isSamePeer(turn: ResponseTurn, asked: Target): boolean {
  const { listener, address, port } = turn;
  if (address === asked.address && (port === asked.port || listener.isReliable)) return true;
  const sender = trunkOf(turn, turn);
  if (sender === undefined) return address === asked.address;
  const other = trunkAt(turn, listener, asked);
  return other === undefined ? address === asked.address : other === sender;
}
