// One input on its way through the proxy, as a value: begun once, handed on as the one argument of every step.
import type { Buffer } from "node:buffer";
import type { Instant, Millis } from "../../domain/time.ts";
import { NEXT_HOP } from "../../domain/trunk.ts";
import type { Policy, TrunkPolicy } from "../../policy/policy.ts";
import type { Listener } from "../../routing/listener.ts";
import { readRequestInHand, type RequestInHand } from "../../routing/request-in-hand.ts";
import { readRoutes, type Routes } from "../../routing/route.ts";
import { clearEdits } from "../../sip/edit.ts";
import { Header } from "../../sip/header.ts";
import { scan } from "../../sip/scan.ts";
import { removeLabels } from "../messages/message-changes.ts";
import { createWorkspace, type ProxyState, type Workspace } from "./proxy-state.ts";

/** One moment. Everything that results from one input happens at this time and under this policy. */
export interface Moment extends Instant {
  readonly proxy: ProxyState;
  readonly policy: Policy;
}

/** Where a message came from: the listener that took it, and the peer's address and port. */
export interface Origin {
  readonly listener: Listener;
  readonly address: string;
  readonly port: number;
}

/** A response that is being handled. */
export interface ResponseTurn extends Moment, Workspace, Origin {}

/** A request that is being handled. */
export interface RequestTurn extends Moment, Workspace {
  /** The trunk that sent it. Undefined: it comes from a next hop that is no trunk. */
  readonly source: TrunkPolicy | undefined;
  readonly request: RequestInHand;
  readonly routes: Routes;
}

/** A request that a trunk sent. */
export interface TrunkTurn extends RequestTurn {
  readonly source: TrunkPolicy;
}

/** Begins a moment at `now`, under the policy that is in force. */
export function beginMoment(proxy: ProxyState, now: Millis): Moment {
  const policy = adoptPolicy(proxy, now);
  return { proxy, now, at: now + proxy.state.wall.ahead, policy };
}

/** Returns the policy that is in force at `now`. */
export function adoptPolicy(proxy: ProxyState, now: Millis): Policy {
  const policy = proxy.policyInForce();
  if (now < proxy.begunAt) proxy.begunAt = now;
  proxy.hops.adopt(policy, now);
  return policy;
}

/**
 * Begins the turn of a request that was scanned into `workspace`. Removes fields of ours that a peer wrote itself.
 * Returns undefined when the request has no Via to answer by.
 */
export function beginRequest(
  { proxy, now, at, policy }: Moment,
  { message, edits }: Workspace,
  source: TrunkPolicy | undefined,
  { listener, address, port }: Origin,
): RequestTurn | undefined {
  const request = readRequestInHand(message, listener, address, port);
  if (request === undefined) return undefined;
  clearEdits(edits);
  if (message.count[Header.label] !== 0 && source?.trunk.side !== "core") removeLabels(message, edits);
  const routes = readRoutes(message, proxy.own, source?.trunk.ownNames);
  return { proxy, now, at, policy, message, edits, source, request, routes };
}

export function isOfTrunk(turn: RequestTurn): turn is TrunkTurn {
  return turn.source !== undefined;
}

export function isOfCore({ source }: RequestTurn): boolean {
  return source?.trunk.side === "core";
}

/** Returns the name that counters use for the sender. */
export function senderOf({ source }: RequestTurn): string {
  return source?.trunk.id ?? NEXT_HOP;
}

/** Scans `bytes` into a workspace beside the input's. The caller returns it with {@link returnWorkspace}. */
export function scanBeside({ proxy }: Moment, bytes: Buffer): Workspace {
  const workspace = proxy.spare.pop() ?? createWorkspace();
  scan(workspace.message, bytes);
  return workspace;
}

export function returnWorkspace({ proxy }: Moment, workspace: Workspace): void {
  proxy.spare.push(workspace);
}
