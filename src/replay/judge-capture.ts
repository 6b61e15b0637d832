// Judges the calls of a capture at their own time, by the code that judges live ones.
import { capabilitiesOf } from "../domain/capabilities.ts";
import type { Millis } from "../domain/time.ts";
import { decide, type Judge, type Judged } from "../judging/decide.ts";
import { isupCalls } from "../judging/isup-calls.ts";
import { createOverload } from "../judging/overload.ts";
import { knownOf, sipCalls, type SipCall } from "../judging/sip-calls.ts";
import type { CallReader } from "../judging/call-reader.ts";
import { readCall } from "../judging/sip-i-attempt.ts";
import type { SignallingSource } from "../domain/attempt.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import type { HostPort } from "../net/host.ts";
import { createCounters } from "../observe/counters.ts";
import { type CaptureTime, toMillis } from "../pcap/timestamp.ts";
import type { Policy, TrunkPolicy } from "../policy/policy.ts";
import { readRoutes } from "../routing/route.ts";
import type { SipMessage } from "../sip/message.ts";
import type { IsupMessage } from "../ss7/isup.ts";
import type { Msu } from "../ss7/mtp3.ts";
import { createScreeningState } from "../screening/state.ts";
import type { SeenInvite } from "./captured-attempts.ts";
import { circuitKey, dialogKey, requestKey, transactionKey } from "./capture-keys.ts";
import { createFollowedCalls, type FollowedCalls, type FollowSink } from "./followed-calls.ts";
import type { SeenIam } from "./seen-iam.ts";

/** What the filter would have made of an INVITE or IAM. */
export type Outcome =
  | (Judged & { readonly kind: "decision" })
  /** No trunk sends from there; the filter drops what strangers send without reading it. */
  | { readonly kind: "unknown-source" };

/** What a capture shows beside its attempts. */
export interface Followed {
  /** Takes an answer, a CANCEL or a BYE. Undefined: nothing that the policy says depends on how calls end. */
  readonly sip: ((message: SipMessage, time: CaptureTime) => void) | undefined;
  /** Takes any message of a circuit but IAMs. */
  isup(msu: Msu, message: IsupMessage, time: CaptureTime): void;
}

/** Judges the calls of captures at their own time, by the code that judges live ones. */
export interface CaptureJudge {
  judge(invite: SeenInvite): Outcome;
  judgeIam(iam: SeenIam): Outcome;
  /** Undefined: nothing that the policy says needs what follows an attempt. */
  readonly followed: Followed | undefined;
  /**
   * Another capture begins. Windows, calls and findings of the former one go on, unless it begins more than a second
   * before the former one ended: then they begin anew.
   *
   * @param name stands before the frame in the name of a call; empty: the frame alone names it
   */
  open(name: string): void;
  /** Calls, subjects and findings that were not followed because a table was full. */
  full(): number;
}

/** An INVITE of a capture: where it was seen is told by the capture. */
interface SeenCall extends SipCall {
  readonly origin: SignallingSource;
}

const seenCalls: CallReader<SeenCall> = {
  ...sipCalls,
  attemptOf: ({ message, source, at, origin, request, routes }) =>
    readCall(message, source.trunk, at, origin, knownOf(request, routes)),
};

/** Every decision of a capture is told by itself. */
const everyOne: Judge["told"] = { take: () => true, flush: () => undefined };

/** Messages of one capture that are no further back than this belong to the same time. Milliseconds. */
const MOST_DISORDER: Millis = 60_000;
/** A capture that begins no further before the end of the former one goes on with it. Milliseconds. */
const MOST_OVERLAP: Millis = 1000;
/** Time may go back so often inside of captures; then nothing is followed any more. */
const MOST_TIMES = 16;

/** What the calls of a capture are judged by. */
export interface Judgement {
  readonly policy: Policy;
  /** Every call is judged as this trunk's, wherever it came from. Undefined: by the trunk of its source. */
  readonly trunk: TrunkPolicy | undefined;
  /** Names of the filter beside the destination of the message. */
  readonly ownNames: readonly HostPort[];
}

/**
 * True where verdicts or findings need more than the attempts of one capture: a limit that lasts longer than a minute, the
 * channels of calls, calls back, or a detector.
 */
export function needsWholeCalls({ trunks, detectors, marketing }: Policy): boolean {
  return (
    marketing !== undefined ||
    trunks.some(
      ({ trunk: { limits } }) =>
        limits.channels !== undefined ||
        limits.frequency !== undefined ||
        limits.lessee?.channels !== undefined,
    ) ||
    [...detectors.values()].some(({ mode }) => mode !== "off")
  );
}

/** True where verdicts or findings depend on what becomes of calls: channels, unanswered calls, detectors. */
function needsEnds({ trunks, detectors }: Policy): boolean {
  return (
    trunks.some(
      ({ trunk: { limits } }) =>
        limits.channels !== undefined ||
        limits.lessee?.channels !== undefined ||
        limits.frequency?.some(({ onlyUnanswered }) => onlyUnanswered) === true,
    ) || [...detectors.values()].some(({ mode }) => mode !== "off")
  );
}

/** A trunk whose calls pay no limit: copies of calls that have paid on another hop. */
function createUnlimited(): (source: TrunkPolicy) => TrunkPolicy {
  const known = new WeakMap<TrunkPolicy, TrunkPolicy>();
  return (source) => {
    let unlimited = known.get(source);
    if (unlimited === undefined) {
      unlimited = {
        ...source,
        screen: { ...source.screen, judge: (...call) => source.screen.judgeUnlimited(...call) },
      };
      known.set(source, unlimited);
    }
    return unlimited;
  };
}

/**
 * Makes a judge whose windows and buckets are empty.
 *
 * @param follow undefined: attempts alone are judged, whatever became of the calls
 */
export function createCaptureJudge(
  { policy, trunk: override, ownNames }: Judgement,
  follow: FollowSink | undefined,
): CaptureJudge {
  const parts: Omit<Judge, "state"> = {
    overload: createOverload(),
    counters: createCounters(),
    capabilities: capabilitiesOf.embedded,
    told: everyOne,
    elapsed: () => 0,
  };
  const unlimited = createUnlimited();
  const isToEnd = follow !== undefined && (follow.ended !== undefined || needsEnds(policy));
  let prefix = "";
  let latest: Millis = -Infinity;
  let times = 0;
  let full = 0;
  let isOpening = false;
  let calls: FollowedCalls | undefined;
  let judge = begin();

  /** Begins with empty windows and without calls. */
  function begin(): Judge {
    full += calls?.full() ?? 0;
    latest = -Infinity;
    const state = createScreeningState(policy.tables);
    calls =
      follow === undefined || times > MOST_TIMES
        ? undefined
        : createFollowedCalls(policy, state, { ...follow, toEnd: isToEnd });
    return { ...parts, state };
  }

  /** Lets time pass: to that of a message, and never back. */
  function pass(time: CaptureTime): Millis {
    const at = toMillis(time);
    if (calls === undefined) return at;
    if (at < latest - (isOpening ? MOST_OVERLAP : MOST_DISORDER)) {
      if (!isOpening) times++;
      judge = begin();
    }
    isOpening = false;
    latest = Math.max(latest, at);
    calls?.pass(latest);
    return latest;
  }

  return {
    followed:
      follow === undefined
        ? undefined
        : {
            sip: isToEnd
              ? (message, time): void => {
                  const now = pass(time);
                  calls?.sip(message, now);
                }
              : undefined,
            isup(msu, message, time) {
              const now = pass(time);
              calls?.isup(msu, message, now);
            },
          },
    open(name) {
      prefix = name;
      isOpening = true;
    },
    full: () => full + (calls?.full() ?? 0),
    judgeIam({ frame, message, msu, origin, segment, completed, lastPart }) {
      const { sourceAddress, sourcePort, destinationAddress, destinationPort } = origin;
      const local = `sctp:${formatEndpoint({ address: destinationAddress, port: destinationPort })}`;
      const source =
        override ??
        (sourceAddress === ""
          ? undefined
          : policy.matchTrunk(local, sourceAddress, sourcePort, undefined, msu));
      if (source === undefined) return { kind: "unknown-source" };
      const passed = pass(completed);
      const now = toMillis(completed);
      const key = circuitKey(msu.opc, msu.dpc, msu.cic);
      const isCopy = calls?.isCopy(key, origin, passed) === true;
      const from = isCopy ? unlimited(source) : source;
      const call = { source: from, now, at: now, policy, msu, isup: message, origin, segment };
      const judged = outcomeOf(decide(judge, isupCalls, call));
      // The exchange has waited for no more than the capture shows.
      if (!isCopy) calls?.begin(judged, `${prefix}${frame}`, [key], Math.min(lastPart, passed));
      return judged;
    },
    judge({ exchange: request, origin, frame, ...time }) {
      const { message, listener, address, port } = request;
      const source = override ?? policy.matchTrunk(listener.id, address, port);
      if (source === undefined) return { kind: "unknown-source" };
      const passed = pass(time);
      const routes = readRoutes(message, { listeners: [listener], names: ownNames }, source.trunk.ownNames);
      const now = toMillis(time);
      const { callId, fromTag, via } = request;
      const isCopy = calls?.isCopy(requestKey(callId, fromTag, message.cseq), origin, passed) === true;
      const from = isCopy ? unlimited(source) : source;
      const call = { source: from, now, at: now, policy, message, request, routes, origin };
      const judged = outcomeOf(decide(judge, seenCalls, call));
      if (calls !== undefined && !isCopy) {
        const keys = [dialogKey(callId, fromTag), transactionKey(callId, fromTag, via.branch ?? "")];
        calls.begin(judged, `${prefix}${frame}`, keys, passed);
      }
      return judged;
    },
  };
}

function outcomeOf(judged: Judged | undefined): Extract<Outcome, { readonly kind: "decision" }> {
  if (judged === undefined) throw new Error("a call of a capture was not told");
  return { kind: "decision", ...judged };
}
