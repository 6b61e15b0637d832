// What the filter tells of each call, kept by call.
import type { CallEvent } from "../../src/domain/call.ts";

/** What was told of one call id. */
export interface ToldCall {
  readonly id: string;
  readonly callId: string;
  readonly trunk: string;
  readonly isForwarded: boolean;
  ringing: number;
  answered: number;
  moved: number;
  readonly ends: (CallEvent & { readonly kind: "ended" })[];
}

/** Everything that was told, by call. */
export interface ToldCalls {
  readonly byId: ReadonlyMap<string, ToldCall>;
  of(callId: string): readonly ToldCall[];
  take(event: CallEvent): void;
  /** Events that came before their call was decided, or behind its end. */
  readonly misplaced: string[];
}

export function createToldCalls(): ToldCalls {
  const byId = new Map<string, ToldCall>();
  const byCallId = new Map<string, ToldCall[]>();
  const misplaced: string[] = [];
  return {
    byId,
    misplaced,
    of: (callId) => byCallId.get(callId) ?? [],
    take(event) {
      if (event.kind === "shed" || event.kind === "request") return;
      const { id, trunk } = event.call;
      if (event.kind === "decided") {
        const { callId } = event.decision.attempt;
        const isForwarded = event.action.kind === "forwarded";
        const call = { id, callId, trunk, isForwarded, ringing: 0, answered: 0, moved: 0, ends: [] };
        if (byId.has(id)) misplaced.push(`${id} is decided twice`);
        byId.set(id, call);
        byCallId.set(callId, [...(byCallId.get(callId) ?? []), call]);
        return;
      }
      const call = byId.get(id);
      if (call === undefined) misplaced.push(`${event.kind} of ${id}, which was not decided`);
      else if (event.kind === "ended") call.ends.push(event);
      else {
        call[event.kind]++;
        if (call.ends.length > 0) misplaced.push(`${event.kind} of ${id} behind its end`);
      }
    },
  };
}
