// The byte path: takes what can be proved to be ordinary, and leaves everything else to the general path.
import type { Millis } from "../../domain/time.ts";
import type { Policy, TrunkPolicy } from "../../policy/policy.ts";
import type { Listener } from "../../routing/listener.ts";
import type { OrdinaryTally, ProxyState } from "../turn/proxy-state.ts";
import { takeAnswer } from "./answer.ts";
import { takeDialogRequest } from "./dialog-request.ts";
import { ownOctetsOf, type OrdinaryTurn } from "./ordinary-turn.ts";

/** Takes the message that was scanned into the workspace of the input. False: the general path goes on with the same scan. */
export type TakeOrdinary = (
  now: Millis,
  policy: Policy,
  source: TrunkPolicy | undefined,
  listener: Listener,
  address: string,
  port: number,
) => boolean;

/** Creates the byte path of a proxy with at least one listener. */
export function createOrdinary(proxy: ProxyState, tally?: OrdinaryTally): TakeOrdinary {
  const [first] = proxy.listeners;
  if (first === undefined) return () => false;
  const turn: OrdinaryTurn = {
    proxy,
    own: ownOctetsOf(proxy.listeners),
    message: proxy.workspace.message,
    policy: proxy.policyInForce(),
    now: 0,
    source: undefined,
    listener: first,
    address: "",
    port: 0,
  };
  return (now, policy, source, listener, address, port) => {
    turn.policy = policy;
    turn.now = now;
    turn.source = source;
    turn.listener = listener;
    turn.address = address;
    turn.port = port;
    const { kind } = turn.message;
    const isTaken = kind === "response" ? takeAnswer(turn) : kind === "request" && takeDialogRequest(turn);
    if (tally !== undefined) {
      if (isTaken) tally.taken++;
      else tally.handedOn++;
    }
    return isTaken;
  };
}
