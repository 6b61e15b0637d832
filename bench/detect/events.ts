// Turns the calls of a virtual day into the events of calls that the filter tells, in the order of their times.
import { Buffer } from "node:buffer";
import { plainTrunk } from "../../src/cli/captures/plain-trunk.ts";
import type { CallAttempt } from "../../src/domain/attempt.ts";
import type { CallDecided, CallEnded, CallEvent } from "../../src/domain/call.ts";
import type { PartyNumber } from "../../src/domain/number.ts";
import type { Side as TrunkSide, Trunk } from "../../src/domain/trunk.ts";
import { readSipNumber } from "../../src/numbering/e164.ts";
import { createDialPlan } from "../../src/numbering/dial-plan.ts";
import type { Traffic } from "../traffic/traffic.ts";
import { NONE, type Licence, type Side, type TrafficCall, type TrafficTrunk } from "../traffic/call.ts";

/** The wall clock at the virtual midnight. */
export const MIDNIGHT = Date.UTC(2026, 10, 30, 16);

const sides: Readonly<Record<Side, TrunkSide>> = {
  leased: "lessee",
  national: "national",
  international: "international",
};
/** Short codes stand behind the country code, and are below any subscriber's number. */
const LONGEST_CODE = 1e8;
const emergencyCodes: ReadonlySet<number> = new Set([86110, 86119, 86120, 86122]);

/** The trunk of the filter that stands for one of the traffic. */
export function trunkOf({ id, lessee, side }: TrafficTrunk, licence?: Licence): Trunk {
  const international = side === "international";
  return {
    ...plainTrunk,
    id: `trunk-${id}`,
    index: id,
    side: sides[side],
    lessee: lessee === NONE ? undefined : `lessee-${lessee}`,
    ...(licence === undefined || licence === "own-use" ? {} : { licence }),
    dialPlan: createDialPlan({ international, homeArea: undefined }),
    longestCall: 43_200_000,
  };
}

/** The key that a number has in the filter: codes without country code, negative. */
export function keyOf(digits: number): number {
  return digits >= LONGEST_CODE ? digits : -Number(String(digits).slice(2));
}

/** Detectors read keys, and no text. */
const anybody = readSipNumber("+8613800138000", trunkOf({ id: 0, lessee: NONE, side: "national" }).dialPlan);

export function numberOf(digits: number): PartyNumber {
  const key = keyOf(digits);
  if (key < 0) {
    const numberClass = emergencyCodes.has(digits) ? "emergency" : "enterprise_95";
    return { kind: "short", code: String(-key), class: numberClass, flags: 0, key, raw: "" };
  }
  return anybody.kind === "e164" ? { ...anybody, key } : anybody;
}

const origin = {
  signalling: "sip",
  transport: "udp",
  sourceAddress: "",
  sourcePort: 0,
  destinationAddress: "",
  destinationPort: 0,
} as const;

const messages = new Map<number, Buffer>();

/** A message that says what its sender is, and nothing else. */
function messageOf(agent: number, codecs: number): Buffer {
  const key = agent * 1000 + codecs;
  const known = messages.get(key);
  if (known !== undefined) return known;
  const text = `INVITE sip:a SIP/2.0\r\nUser-Agent: agent-${agent}\r\n\r\nm=audio 4000 RTP/AVP ${codecs}\r\n`;
  const made = Buffer.from(text, "latin1");
  messages.set(key, made);
  return made;
}

function decidedOf(call: TrafficCall, trunk: Trunk, id: string): CallDecided {
  const at = MIDNIGHT + call.at;
  const attempt: CallAttempt = {
    at,
    trunk,
    origin,
    calling: [{ source: "from", number: numberOf(call.caller), presentation: "allowed" }],
    called: numberOf(call.called),
    emergencyUrn: false,
    diversion:
      call.diverting === NONE
        ? []
        : [{ source: "diversion", number: numberOf(call.diverting), presentation: "allowed" }],
    privacy: 0,
    callId: id,
    fromTag: "",
    requestUri: "",
  };
  return {
    kind: "decided",
    call: { id, trunk: trunk.id },
    at,
    decision: {
      attempt,
      verdict: { kind: "accept", reason: "listed" },
      rule: emergencyCodes.has(call.called) ? "emergency" : "default",
      marks: [],
      shadow: [],
      revision: "",
    },
    action: { kind: "forwarded", hop: `hop-${call.hop}` },
    bytes: messageOf(call.agent, call.codecs),
  };
}

function endedOf(call: TrafficCall, trunk: Trunk, id: string): CallEnded {
  return {
    kind: "ended",
    call: { id, trunk: trunk.id },
    at: MIDNIGHT + call.at + call.ended,
    by: call.by === "nobody" ? "filter" : call.by,
    how: call.how,
    status: call.status,
    ...(call.ringing === NONE ? {} : { ringingMs: call.ringing }),
    ...(call.answered === NONE ? {} : { answeredMs: call.answered, talkedMs: call.ended - call.answered }),
  };
}

/** A call in progress. */
interface Pending {
  readonly end: number;
  readonly number: number;
  readonly call: TrafficCall;
}

/**
 * Hands on `decided` and `ended` of each call, in the order of time.
 *
 * @param happened takes each event with the call that it belongs to
 */
export function playCalls(
  calls: Iterable<TrafficCall>,
  { trunks, lessees }: Pick<Traffic, "trunks" | "lessees">,
  happened: (event: CallEvent, call: TrafficCall) => void,
): void {
  const ours = trunks.map((trunk) => trunkOf(trunk, lessees[trunk.lessee]?.licence));
  const waiting = createHeap();
  let count = 0;
  const endUntil = (time: number): void => {
    for (let next = waiting.first(); next !== undefined && next.end <= time; next = waiting.first()) {
      waiting.take();
      happened(endedOf(next.call, ours[next.call.trunk]!, idOf(next.number)), next.call);
    }
  };
  for (const call of calls) {
    endUntil(call.at);
    count += 1;
    happened(decidedOf(call, ours[call.trunk]!, idOf(count)), call);
    waiting.add({ end: call.at + call.ended, number: count, call });
  }
  endUntil(Infinity);
}

function idOf(count: number): string {
  return `day-1-${count}`;
}

/** What is to be first: by time, and at one time by number. */
function isBefore(one: Pending, other: Pending): boolean {
  return one.end === other.end ? one.number < other.number : one.end < other.end;
}

function createHeap(): {
  first(): Pending | undefined;
  add(item: Pending): void;
  take(): void;
} {
  const items: Pending[] = [];
  return {
    first: () => items[0],
    add(item) {
      let place = items.length;
      items.push(item);
      while (place > 0) {
        const parent = (place - 1) >> 1;
        if (!isBefore(item, items[parent]!)) break;
        items[place] = items[parent]!;
        place = parent;
      }
      items[place] = item;
    },
    take() {
      const last = items.pop();
      if (last === undefined || items.length === 0) return;
      let place = 0;
      for (;;) {
        let child = 2 * place + 1;
        if (child >= items.length) break;
        if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child += 1;
        if (!isBefore(items[child]!, last)) break;
        items[place] = items[child]!;
        place = child;
      }
      items[place] = last;
    },
  };
}
