import type { Buffer } from "node:buffer";
import type { Millis } from "../domain/time.ts";
import type { Decision } from "../domain/decision.ts";
import type { TrunkPolicy } from "../policy/policy.ts";
import { countRequest } from "../observe/counters.ts";
import { IsupType, readIsup } from "../ss7/isup.ts";
import { across, type Circuit, type PassedCall, type LinkSide } from "./circuits.ts";
import type { IsupWork } from "./isup-turn.ts";
import { causeFor, giveUp, judgedBy } from "./iam.ts";

/**
 * SAM, SGM, INF, IRS and pass-along, the message in hand. From the exchange of the calling party they may say who calls, or whom; a call that
 * turns out to be one that is refused is released towards both exchanges.
 */
export function continueCall(
  work: IsupWork,
  now: Millis,
  side: LinkSide,
  bytes: Buffer,
  start: number,
  circuit: Circuit | undefined,
): void {
  const { counters, unit } = work;
  const { stream } = unit;
  const type = bytes[start]!;
  const source = work.sourceOf(side);
  const call = circuit?.calls[side];
  const answered = circuit?.calls[across(side)];
  if (source?.trunk.side === "core" || (call === undefined && answered !== undefined)) {
    if (answered !== undefined) answered.outstanding = undefined;
    work.pass(side, stream, bytes);
    return;
  }
  const decision =
    source === undefined ? undefined : judgeLaterMessage(work, now, side, source, bytes, start, call);
  if (decision === "stray" || source === undefined) {
    counters.ss7.stray++;
    return;
  }
  if (decision !== undefined) {
    countRequest(counters, typeNames.get(type) ?? "ISUP", decision);
    work.sink.decided(decision);
    const { kind, reason } = decision.verdict;
    if (kind === "reject" || kind === "drop") {
      const place = circuit ?? work.circuits.obtain(unit.msu);
      if (place !== undefined) giveUp(work, now, place, side);
      work.refusals.release(unit, place, side, true, causeFor(reason), now);
      return;
    }
  }
  work.pass(side, stream, bytes);
}

const typeNames: ReadonlyMap<number, string> = new Map([
  [IsupType.sam, "SAM"],
  [IsupType.inf, "INF"],
  [IsupType.irs, "IRS"],
  [IsupType.sgm, "SGM"],
]);

/** Undefined: there is nothing to judge. A message in a message is not looked into, and digits belong to a call that is known. */
function judgeLaterMessage(
  work: IsupWork,
  now: Millis,
  side: LinkSide,
  source: TrunkPolicy,
  bytes: Buffer,
  start: number,
  call: PassedCall | undefined,
): Decision | "stray" | undefined {
  const { isup, judge, unit, variant } = work;
  const { msu } = unit;
  const type = bytes[start]!;
  if (!typeNames.has(type)) return "stray";
  readIsup(isup, variant, bytes, start, msu.end);
  const by = judgedBy(work, side, source, now);
  if (type !== IsupType.sam) return judge.later(by, msu, isup, call);
  return call === undefined ? "stray" : judge.digits(by, msu, isup, call);
}
