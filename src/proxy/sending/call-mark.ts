// The name of a call in our Via: a parameter beside the branch, which answers bring back.
import { CALL_TAG_LENGTH, type CallTags } from "../../calls/call-tag.ts";
import { NO_CALL, type CallName, type CallSlot } from "../../calls/calls.ts";
import { MAC_LENGTH } from "../../sip/tag.ts";
import type { ProxyState } from "../turn/proxy-state.ts";

/**
 * Names of the Via parameter: for a request that begins a call, and for a request inside its dialog. The parameter
 * stands beside the branch, not in it. An ACK or a CANCEL must carry the branch of its INVITE, also where nobody
 * remembers the INVITE (after a restart, or on another node). So the branch is made of the request alone. Servers tell
 * transactions by the branch (RFC 3261 section 17.2.3).
 */
const BEGINS = ";sw=";
const WITHIN = ";sd=";

/** Hex digits of the branch's MAC that a mark of either name is bound to. */
const BOUND = 16;
const BOUND_WITHIN = MAC_LENGTH;

/**
 * Returns how many digits of the MAC, from the first on, a mark is bound to. Each name has its own number: a peer that
 * was asked inside the dialog can't answer as if the request had begun the call.
 */
export function boundOf(isWithin: boolean): number {
  return isWithin ? BOUND_WITHIN : BOUND;
}

/** A call, and whether a message belongs to the INVITE that began it or to its dialog. */
export interface MarkedCall {
  readonly slot: CallSlot;
  readonly isWithin: boolean;
}

/** The parts that write and read marks. */
type MarkParts = Pick<ProxyState, "calls" | "callTags">;

/**
 * Returns the parameter for a request of a call; "" where the request belongs to no call. `mac` is the MAC of the
 * branch.
 */
export function markOf({ calls, callTags }: MarkParts, call: MarkedCall | undefined, mac: string): string {
  if (call === undefined || call.slot === NO_CALL) return "";
  const tag = callTags.write(calls.nameOf(call.slot), mac.slice(0, boundOf(call.isWithin)));
  return (call.isWithin ? WITHIN : BEGINS) + tag;
}

/** Returns the parameter of the INVITE of a call, of which only the name is known. */
export function markOfName(callTags: CallTags, name: CallName, mac: string): string {
  return BEGINS + callTags.write(name, mac.slice(0, BOUND));
}

/**
 * Returns the call that a Via of ours names behind its branch. `via` ends where this Via ends: behind a comma another peer
 * writes what it likes. `mac` is the MAC of the branch. Returns undefined when the Via names no call that is remembered
 * here.
 */
export function readMark(
  { calls, callTags }: MarkParts,
  via: string,
  branchEnd: number,
  mac: string,
): MarkedCall | undefined {
  const begins = findMark(via, BEGINS, branchEnd);
  const at = begins < 0 ? findMark(via, WITHIN, branchEnd) : begins;
  if (at < 0) return undefined;
  const isWithin = begins < 0;
  const slot = slotOf(callTags, calls, via.slice(at, at + CALL_TAG_LENGTH), mac.slice(0, boundOf(isWithin)));
  return slot === NO_CALL ? undefined : { slot, isWithin };
}

/** Returns the call of a tag; {@link NO_CALL} when no such call is remembered here. */
export function slotOf(callTags: CallTags, calls: ProxyState["calls"], tag: string, tweak: string): CallSlot {
  const read = callTags.read(tag, tweak);
  return read === undefined || !read.isKnownNode ? NO_CALL : calls.named(read.name);
}

/**
 * Returns where the value of a parameter begins; -1 when it is absent. Most peers return a Via as it was written.
 * Others insert their own parameters.
 */
function findMark(via: string, name: string, from: number): number {
  const at = via.startsWith(name, from) ? from : via.indexOf(name, from);
  return at < 0 ? -1 : at + name.length;
}
