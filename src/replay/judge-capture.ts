// Judges the calls of a capture at their own time, by the code that judges live ones.
import { capabilitiesOf } from "../domain/capabilities.ts";
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
import { toMillis } from "../pcap/timestamp.ts";
import type { Policy, TrunkPolicy } from "../policy/policy.ts";
import { readRoutes } from "../routing/route.ts";
import { createScreeningState } from "../screening/state.ts";
import type { SeenInvite } from "./captured-attempts.ts";
import type { SeenIam } from "./seen-iam.ts";

/** What the filter would have made of an INVITE or IAM. */
export type Outcome =
  | (Judged & { readonly kind: "decision" })
  /** No trunk sends from there; the filter drops what strangers send without reading it. */
  | { readonly kind: "unknown-source" };

/** Judges the calls of a capture at their own time, by the code that judges live ones. */
export interface CaptureJudge {
  judge(invite: SeenInvite): Outcome;
  judgeIam(iam: SeenIam): Outcome;
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

/** What the calls of a capture are judged by. */
export interface Judgement {
  readonly policy: Policy;
  /** Every call is judged as this trunk's, wherever it came from. Undefined: by the trunk of its source. */
  readonly trunk: TrunkPolicy | undefined;
  /** Names of the filter beside the destination of the message. */
  readonly ownNames: readonly HostPort[];
}

/** Makes a judge whose windows and buckets are empty. */
export function createCaptureJudge({ policy, trunk: override, ownNames }: Judgement): CaptureJudge {
  const judge: Judge = {
    state: createScreeningState(policy.tables),
    overload: createOverload(),
    counters: createCounters(),
    capabilities: capabilitiesOf.embedded,
    told: everyOne,
    elapsed: () => 0,
  };

  return {
    judgeIam({ message, msu, origin, segment, completed }) {
      const { sourceAddress, sourcePort, destinationAddress, destinationPort } = origin;
      const local = `sctp:${formatEndpoint({ address: destinationAddress, port: destinationPort })}`;
      const source =
        override ??
        (sourceAddress === ""
          ? undefined
          : policy.matchTrunk(local, sourceAddress, sourcePort, undefined, msu));
      if (source === undefined) return { kind: "unknown-source" };
      const now = toMillis(completed);
      const call = { source, now, at: now, policy, msu, isup: message, origin, segment };
      return outcomeOf(decide(judge, isupCalls, call));
    },
    judge({ exchange: request, origin, ...time }) {
      const { message, listener, address, port } = request;
      const source = override ?? policy.matchTrunk(listener.id, address, port);
      if (source === undefined) return { kind: "unknown-source" };
      const routes = readRoutes(message, { listeners: [listener], names: ownNames }, source.trunk.ownNames);
      const now = toMillis(time);
      const call = { source, now, at: now, policy, message, request, routes, origin };
      return outcomeOf(decide(judge, seenCalls, call));
    },
  };
}

function outcomeOf(judged: Judged | undefined): Outcome {
  if (judged === undefined) throw new Error("a call of a capture was not told");
  return { kind: "decision", ...judged };
}
