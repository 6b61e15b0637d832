// SAM, SDM, SGM, INF, IRS and pass-along from the exchange of the calling party: judged where they name a caller or a number.
import { across } from "./links.ts";
import { NO_CALL } from "../calls/calls.ts";
import type { Action, CallRef } from "../domain/call.ts";
import type { Decision } from "../domain/decision.ts";
import { judgeDigits, judgeLater } from "../judging/isup-messages.ts";
import type { TrunkPolicy } from "../policy/policy.ts";
import { IsupType, readIsup } from "../ss7/isup.ts";
import type { Circuit, PassedCall } from "./circuits.ts";
import { causeFor, giveUp, isupCallOf } from "./iam.ts";
import { formOf, hopOf, pass, type IsupTurn } from "./isup-turn.ts";

/** Judges a message that follows an IAM. A call that is refused now is released towards both exchanges. */
export function continueCall(turn: IsupTurn, circuit: Circuit | undefined): void {
  const { relay, side, source } = turn;
  const call = circuit?.calls[side];
  const answered = circuit?.calls[across(side)];
  if (source?.trunk.side === "core" || (call === undefined && answered !== undefined)) {
    pass(turn);
    return;
  }
  const decision = source === undefined ? "stray" : judgeMessage(turn, source, call);
  if (decision === "stray" || source === undefined) relay.counters.ss7.stray++;
  else if (decision === undefined) pass(turn);
  else {
    const ref = refOf(turn, call);
    tellLater(turn, source, decision, obey(turn, circuit, decision), ref);
  }
}

function obey(turn: IsupTurn, circuit: Circuit | undefined, { verdict }: Decision): Action {
  const { relay, now, side, msu } = turn;
  const { kind, reason } = verdict;
  if (kind !== "reject" && kind !== "drop") {
    pass(turn);
    return { kind: "forwarded", hop: hopOf(turn) };
  }
  const place = circuit ?? relay.circuits.obtain(msu);
  if (place !== undefined) giveUp(turn, place);
  const cause = causeFor(relay, turn.link, reason);
  relay.releases.release(turn, place, side, { turned: true, cause }, now);
  return { kind: "released", cause };
}

/** The call that the message belongs to, as long as it has a row. */
function refOf({ relay: { calls } }: IsupTurn, call: PassedCall | undefined): CallRef | undefined {
  const slot = call?.name === undefined ? NO_CALL : calls.named(call.name);
  return slot === NO_CALL ? undefined : calls.refOf(slot);
}

function tellLater(
  turn: IsupTurn,
  source: TrunkPolicy,
  decision: Decision,
  action: Action,
  call: CallRef | undefined,
): void {
  const { relay, at, bytes, start } = turn;
  relay.tell({
    kind: "request",
    call,
    trunk: source.trunk.id,
    method: typeNames.get(bytes[start]!) ?? "ISUP",
    at,
    reason: decision.verdict.reason,
    decision,
    action,
    bytes,
  });
}

const typeNames: ReadonlyMap<number, string> = new Map([
  [IsupType.sam, "SAM"],
  [IsupType.inf, "INF"],
  [IsupType.irs, "IRS"],
  [IsupType.sgm, "SGM"],
  [IsupType.sdm, "SDM"],
]);

/**
 * Judges the message itself. The message inside a pass-along is not read, and digits are judged for known calls only.
 *
 * @returns undefined when there is nothing to judge
 */
function judgeMessage(
  turn: IsupTurn,
  source: TrunkPolicy,
  call: PassedCall | undefined,
): Decision | "stray" | undefined {
  const { relay, link, bytes, msu, isup, start } = turn;
  const type = bytes[start]!;
  if (!typeNames.has(type)) return "stray";
  readIsup(isup, formOf(relay, link), bytes, start, msu.end);
  const message = isupCallOf(turn, source);
  const { state } = relay;
  if (type !== IsupType.sam && type !== IsupType.sdm) return judgeLater(message, call, state);
  return call === undefined ? "stray" : judgeDigits(message, call, state);
}
