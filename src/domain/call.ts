// A call: its name, what was done with it, and the events of its life.
import type { Decision } from "./decision.ts";
import type { ReasonCode } from "./reason.ts";
import type { Millis } from "./time.ts";
import type { TrunkId } from "./trunk.ts";

/** A call: its id, NODE-EPOCH-COUNT, and the trunk that it came from. */
export interface CallRef {
  readonly id: string;
  readonly trunk: TrunkId;
}

/** What the ids of a running filter begin with. */
export interface CallNaming {
  /** The node, as record lines have it. */
  readonly node: string;
  /** Start of the process in seconds since the Unix epoch. Above the epoch of every earlier process of the node. */
  readonly epoch: number;
}

/** A next hop as logs and metrics name it: `udp:192.0.2.1:5060`, or the association of a far exchange. */
export type HopId = string;

/** Statuses of a request that is to be sent again with credentials: nothing has ended (RFC 3261 section 22). */
export const wantsCredentials: ReadonlySet<number> = new Set([401, 407]);

/** What was done with a request, beside what was decided about it. */
export type Action =
  | { readonly kind: "forwarded"; readonly hop: HopId }
  | { readonly kind: "redirected"; readonly hop: HopId }
  /** `why` is there for an accepted call that no next hop can take. */
  | { readonly kind: "answered"; readonly status: number; readonly why?: "no-next-hop" }
  /** REL with a cause of Q.850. */
  | { readonly kind: "released"; readonly cause: number }
  | { readonly kind: "silent" };

/** Who ended a call. `filter`: the filter itself, or a timer that ran out. Rows and nodes hold places in this list. */
export const endedBys = ["caller", "called", "filter"] as const;
export type EndedBy = (typeof endedBys)[number];

/**
 * How a call ended. `cancelled`: the caller gave up before the answer. `refused`: the set-up failed. `released`: a
 * party ended the answered call, or the filter ended the call by order. `timed-out`: nobody answered, or the session expired. `lost`: the end was never seen.
 * Nodes tell each other places in this list: new ones come last.
 */
export const howEndeds = ["cancelled", "refused", "released", "timed-out", "lost"] as const;
export type HowEnded = (typeof howEndeds)[number];

/** The end of a call. */
export interface CallEnd {
  readonly by: EndedBy;
  readonly how: HowEnded;
  /** The SIP status that ended the set-up; 200 for an answered call. Left out where none was seen. */
  readonly status?: number;
  /** The cause of Q.850 that was given. */
  readonly cause?: number;
}

/**
 * A call attempt was judged, and the verdict was carried out. Told once for each attempt: repeats are not told. A call
 * that was not forwarded has no other event.
 */
export interface CallDecided {
  readonly kind: "decided";
  readonly call: CallRef;
  readonly at: Millis;
  /** `decision.attempt` is the attempt: its parties and its source. */
  readonly decision: Decision;
  readonly action: Action;
  /** The id of the call that this one continues with more digits, after a 484 (RFC 3578). */
  readonly overlapOf?: string | undefined;
  /** The listener that received the attempt: `udp:192.0.2.1:5060`. Left out where the engine has none. */
  readonly listener?: string;
  /** The message as received. Valid until the function that takes the event returns; then it is overwritten. */
  readonly bytes?: Uint8Array;
  /** The answer of the filter as sent. Valid as long as `bytes`. */
  readonly answer?: Uint8Array | undefined;
}

/**
 * What a request was refused as before any rule was asked. `kind`: for its method, its dialog, its Route or its event
 * package. `protocol`: an answer that RFC 3261 asks of any proxy. `repeat`: it has the key of an earlier request and
 * other content.
 */
export type RefusedAs = "kind" | "protocol" | "repeat";

/** Another request was judged or refused: one that begins no call, or a change inside a dialog. */
export interface RequestDecided {
  readonly kind: "request";
  /** The call that the request belongs to; undefined when that is not known. */
  readonly call: CallRef | undefined;
  readonly trunk: TrunkId;
  readonly method: string;
  readonly at: Millis;
  readonly reason: ReasonCode;
  readonly decision: Decision;
  /** Only of a request that was refused before any rule was asked. The attempt then holds no party. */
  readonly refusedAs?: RefusedAs;
  readonly action: Action;
  readonly bytes?: Uint8Array;
}

/** The call goes to another next hop: the former one is down, has answered 503, or could not be reached. */
export interface CallMoved {
  readonly kind: "moved";
  readonly call: CallRef;
  readonly at: Millis;
  readonly hop: HopId;
  readonly why: "down" | "503" | "unreached";
}

/** The called party is alerted, or has answered. Each is told once. */
export interface CallProgress {
  readonly kind: "ringing" | "answered";
  readonly call: CallRef;
  readonly at: Millis;
}

/** Told exactly once for each forwarded call. */
export interface CallEnded extends CallEnd {
  readonly kind: "ended";
  readonly call: CallRef;
  readonly at: Millis;
  /** From the decision to the first alerting and to the first answer; left out where there was none. Milliseconds. */
  readonly ringingMs?: Millis;
  readonly answeredMs?: Millis;
  /** From the first answer to the end; left out where there was no answer. Milliseconds. */
  readonly talkedMs?: Millis;
}

/** Refusals that were not told one by one, because there were too many within a second. */
export interface CallsShed {
  readonly kind: "shed";
  /** Left out: they were call attempts. */
  readonly of?: "requests";
  readonly trunk: TrunkId;
  readonly reason: ReasonCode;
  readonly status: number;
  readonly count: number;
  readonly from: Millis;
  readonly to: Millis;
}

/** Every event of a call. */
export type CallEvent = CallDecided | RequestDecided | CallMoved | CallProgress | CallEnded | CallsShed;
