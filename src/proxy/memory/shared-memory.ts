// What an engine tells the other nodes of a cluster of its calls, and how it takes theirs.
import type { CallsElsewhere } from "../../calls/calls-elsewhere.ts";
import type { CallName, CallSlot } from "../../calls/calls.ts";
import type { EndedBy } from "../../domain/call.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import type { CallSetup } from "./call-setup.ts";

/** The part of an engine's memory of calls that other nodes fill. */
export type ElsewhereView = Omit<CallsElsewhere<never>, "decided" | "changeSetup">;

/** Takes what another node has decided, where messages of its call may come here: repeats, ACK and CANCEL. */
export type SetupsElsewhere = Pick<CallsElsewhere<CallSetup>, "decided" | "changeSetup">;

/** Who tells the other nodes. Every member runs on the path of calls. */
export interface SharedMemory {
  /** Given the memory of calls before the first message. */
  opened(calls: ElsewhereView, setups?: SetupsElsewhere): void;
  /** The state of a call has changed. */
  changed(slot: CallSlot): void;
  /** An INVITE was judged: what was done with it, under the key of its transaction. */
  decided(name: CallName, trunk: TrunkId, key: string, setup: CallSetup): void;
  /** A BYE has passed of a call that has no row here. */
  left(name: CallName, by: EndedBy): void;
}
