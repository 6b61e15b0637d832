// The name of a call in our Via: a parameter beside the branch, which answers bring back.
import { CALL_TAG_LENGTH, type CallTags } from "../../calls/call-tag.ts";
import { NO_CALL, type CallSlot } from "../../calls/calls.ts";
import type { ProxyState } from "../turn/proxy-state.ts";

/**
 * Of a request that begins a call, and of one inside its dialog. The name stands beside the branch, not in it: an ACK or
 * a CANCEL whose INVITE nobody remembers (a restart, another node) must carry the INVITE's branch, which is made of the
 * request alone; servers tell transactions by the branch (RFC 3261 section 17.2.3).
 */
const BEGINS = ";sw=";
const WITHIN = ";sd=";

/** Hex digits of the branch's MAC that a mark is bound to. */
const BOUND = 16;

/** A call, and whether a message belongs to the INVITE that began it or to its dialog. */
export interface MarkedCall {
  readonly slot: CallSlot;
  readonly isWithin: boolean;
}

/** What marks are written and read with. */
type MarkParts = Pick<ProxyState, "calls" | "callTags">;

/** Returns the parameter for a request of a call; "" for one of none. `mac`: of the branch. */
export function markOf({ calls, callTags }: MarkParts, call: MarkedCall | undefined, mac: string): string {
  if (call === undefined || call.slot === NO_CALL) return "";
  const tag = callTags.write(calls.nameOf(call.slot), mac.slice(0, BOUND));
  return (call.isWithin ? WITHIN : BEGINS) + tag;
}

/** Returns the call that a Via of ours names behind its branch; undefined: none that is remembered here. `mac`: of the branch. */
export function readMark(
  { calls, callTags }: MarkParts,
  via: string,
  branchEnd: number,
  mac: string,
): MarkedCall | undefined {
  const begins = findMark(via, BEGINS, branchEnd);
  const at = begins < 0 ? findMark(via, WITHIN, branchEnd) : begins;
  if (at < 0) return undefined;
  const slot = slotOf(callTags, calls, via.slice(at, at + CALL_TAG_LENGTH), mac.slice(0, BOUND));
  return slot === NO_CALL ? undefined : { slot, isWithin: begins < 0 };
}

/** Returns the call of a tag; {@link NO_CALL}: none that is remembered here. */
export function slotOf(callTags: CallTags, calls: ProxyState["calls"], tag: string, tweak: string): CallSlot {
  const read = callTags.read(tag, tweak);
  return read === undefined || !read.isOwnNode ? NO_CALL : calls.named(read.name);
}

/** Most peers give a Via back as it was written; others put their own parameters in between. */
function findMark(via: string, name: string, from: number): number {
  const at = via.startsWith(name, from) ? from : via.indexOf(name, from);
  return at < 0 ? -1 : at + name.length;
}
