// Gateway screening: which messages may enter by their label, whatever they say (Q.705 section 8).
import type { Millis } from "../domain/time.ts";
import type { Policy } from "../policy/policy.ts";
import { releaseComplete, labelUnit, sealUnit, writeRelease } from "../ss7/m3ua-reply.ts";
import { IsupType } from "../ss7/isup.ts";
import { carriesNoCalls, isCallControl } from "../ss7/mtp3.ts";

import { causeFor } from "./iam.ts";
import type { LinkIndex, LinkSide } from "./links.ts";
import { isRanged } from "./message-kinds.ts";
import { formOf, originOf, type IsupState, type IsupTurn } from "./isup-turn.ts";

/** Time between two log lines about one point code, and point codes that are told apart in that time. */
const LOG_EVERY: Millis = 60_000;
const MOST_CODES = 64;

/** Refuses messages of no trunk, and of point codes and users that their trunk does not allow. */
export interface GatewayScreening {
  /** @returns false when the message goes no further. It is counted then. */
  admits(turn: IsupTurn): boolean;
}

export function createGatewayScreening(relay: IsupState): GatewayScreening {
  const { ss7 } = relay.counters;
  const told = new Map<number, { until: Millis; unheard: number }>();
  const adjacent = createAdjacentCodes(relay);

  function refuseCode(turn: IsupTurn): void {
    ss7.unknownRoute++;
    relay.counters.strangers.note(originOf(turn).sourceAddress);
    tell(turn, "messages", "no trunk may send them");
    const { msu, bytes, start, link, side, stream, message } = turn;
    if (!isCallControl(msu) || adjacent(turn.policy, link, side) === undefined) return;
    // One exchange stands behind the link: whatever it calls itself, the answer finds it there.
    const type = bytes[start]!;
    if (type === IsupType.iam) {
      ss7.released++;
      const { releaseLocation } = formOf(relay, link);
      const cause = causeFor(relay, link, "source-unknown");
      const rel = writeRelease(cause, releaseLocation);
      relay.sink.send(link, side, stream, sealUnit(labelUnit(message, msu, true), rel));
    } else if (type === IsupType.rel)
      relay.sink.send(link, side, stream, sealUnit(labelUnit(message, msu, true), releaseComplete));
  }

  /** Tells the operator of each point code once a minute. */
  function tell({ now, msu, relay: { sink }, ...turn }: IsupTurn, what: string, why: string): void {
    const known = told.get(msu.opc);
    if (known !== undefined && now < known.until) {
      known.unheard++;
      return;
    }
    if (known === undefined && told.size >= MOST_CODES) {
      const [oldest] = told;
      if (oldest !== undefined && now < oldest[1].until) return;
      if (oldest !== undefined) told.delete(oldest[0]);
    }
    const since = known === undefined || known.unheard === 0 ? "" : ` (${known.unheard} since the last line)`;
    told.delete(msu.opc);
    told.set(msu.opc, { until: now + LOG_EVERY, unheard: 0 });
    const place = relay.ends[turn.link]?.places[turn.side].id ?? "";
    const circuit = msu.cic < 0 ? "" : `, circuit ${msu.cic}`;
    sink.alarm(
      `${place}: ${what} from point code ${msu.opc} to ${msu.dpc} are refused: ${why}${circuit}${since}`,
    );
  }

  return {
    admits(turn) {
      const { msu, source } = turn;
      if (source === undefined || !isCodeAllowed(turn)) {
        refuseCode(turn);
        return false;
      }
      if (!source.trunk.ss7.serviceIndicators.has(msu.si)) {
        if (carriesNoCalls(msu.si)) ss7.serviceIndicator++;
        else ss7.userPart++;
        tell(
          turn,
          `messages of service indicator ${msu.si}`,
          `its trunk ${source.trunk.id} may not send them`,
        );
        return false;
      }
      if (!isCallControl(msu) || isRangeAllowed(relay, turn)) return true;
      refuseCode(turn);
      return false;
    },
  };
}

function isCodeAllowed({ source, msu }: IsupTurn): boolean {
  const codes = source?.trunk.ss7.originatingPointCodes;
  return codes === undefined || codes.has(msu.opc);
}

/** A message about a range of circuits may name none that its sender has no trunk for. */
function isRangeAllowed({ ends }: IsupState, { policy, link, side, msu, bytes, start }: IsupTurn): boolean {
  if (!isRanged(bytes[start]!)) return true;
  const range = rangeOf(bytes, start, msu.end);
  const place = ends[link]?.places[side];
  if (place === undefined) return false;
  const first = msu.cic;
  let isAllowed = true;
  for (let offset = 1; offset <= range && isAllowed; offset++) {
    msu.cic = first + offset;
    isAllowed = policy.matchTrunk(place.id, place.address, place.port, undefined, msu) !== undefined;
  }
  msu.cic = first;
  return isAllowed;
}

/** GRS, CGB and their kin have one variable parameter, range and status; CGB and CGU have a type in front of it. */
function rangeOf(bytes: Uint8Array, start: number, end: number): number {
  const type = bytes[start]!;
  const hasKind = type === 0x18 || type === 0x19 || type === 0x1a || type === 0x1b;
  const pointer = start + (hasKind ? 2 : 1);
  const at = pointer + (bytes[pointer] ?? 0) + 1;
  return at < end ? bytes[at]! : 0;
}

/** Finds the one point code that may stand behind an association; undefined: there may be several. */
function createAdjacentCodes(
  relay: IsupState,
): (policy: Policy, link: LinkIndex, side: LinkSide) => number | undefined {
  let known: Policy | undefined;
  let found = new Map<number, number | undefined>();
  return (policy, link, side) => {
    if (policy !== known) {
      known = policy;
      found = new Map();
    }
    const key = link * 2 + side;
    if (!found.has(key)) {
      const place = relay.ends[link]?.places[side];
      const trunks = place === undefined ? [] : policy.trunksAt(place.id, place.address);
      const codes = new Set(trunks.flatMap(({ trunk }) => [...(trunk.ss7.originatingPointCodes ?? [])]));
      const isOpen = trunks.some(({ trunk }) => trunk.ss7.originatingPointCodes === undefined);
      const [only] = codes;
      found.set(key, isOpen || codes.size !== 1 ? undefined : only);
    }
    return found.get(key);
  };
}
