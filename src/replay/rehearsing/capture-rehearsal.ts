// Judges the calls of captures by two policies, and counts where the verdicts differ.
import type { CallAttempt } from "../../domain/attempt.ts";
import type { Decision } from "../../domain/decision.ts";
import type { HostPort } from "../../net/host.ts";
import type { Arrival } from "../../pcap/tcp-stream.ts";
import type { Policy, TrunkPolicy } from "../../policy/policy.ts";
import type { AttemptSink, SeenInvite } from "../captured-attempts.ts";
import {
  type CaptureJudge,
  createCaptureJudge,
  type Followed,
  needsWholeCalls,
  type Outcome,
} from "../judge-capture.ts";
import type { SeenIam } from "../seen-iam.ts";
import {
  compareJudgements,
  createChangeTally,
  type Judgement,
  type Rehearsed,
  sayJudgement,
} from "./change-tally.ts";
import { createEnforcedRules } from "./record-gaps.ts";
import { judgementOf } from "./rehearsal.ts";

/** One of the two policies that captures are judged by. */
export interface CaptureSide {
  readonly policy: Policy;
  /** Every call is judged as this trunk's. Undefined: by the trunk of its source. */
  readonly trunk: TrunkPolicy | undefined;
}

/** Judges captures, one after the other. Limits and detectors go on from one to the next. */
export interface CaptureRehearsal {
  /**
   * Another capture begins.
   *
   * @param name stands before the frames of its calls
   * @returns what takes its calls
   */
  open(name: string): AttemptSink;
  result(): Rehearsed;
}

/** Why a call is not judged anew. */
const causes = {
  stranger: "no trunk of either policy claims its source",
  before: "decided before the rules were asked: malformed, an answer of RFC 3261",
  unread: "it can't be read",
} as const;

/** What a policy makes of a call. */
interface Said {
  readonly judgement: Judgement;
  readonly decision: Decision | undefined;
}

const stranger: Said = {
  judgement: { kind: "drop", reason: "source-unknown", marks: [] },
  decision: undefined,
};

/**
 * Limits and detectors of both policies run where one of them needs whole calls, from the first message on, as `replay`
 * runs them.
 *
 * @param ownNames names of the filter beside the destinations of messages
 */
export function createCaptureRehearsal(
  before: CaptureSide,
  after: CaptureSide,
  ownNames: readonly HostPort[],
): CaptureRehearsal {
  const tally = createChangeTally();
  const enforced = createEnforcedRules();
  const isFollowed = needsWholeCalls(before.policy) || needsWholeCalls(after.policy);
  const judgeBy = (side: CaptureSide, tell: Parameters<typeof createCaptureJudge>[1]): CaptureJudge =>
    createCaptureJudge({ ...side, ownNames }, isFollowed ? tell : undefined);
  const old = judgeBy(before, { finding: () => undefined, ended: undefined });
  const anew = judgeBy(after, {
    finding: (finding, mode) => tally.found(finding, mode),
    ended: undefined,
  });
  let name = "";

  function compare(
    { frame, retransmissionOf }: Pick<SeenInvite, "frame" | "retransmissionOf">,
    judge: (by: CaptureJudge) => Outcome,
  ): void {
    // A repeat meets the outcome of what it repeats.
    if (retransmissionOf !== undefined) return;
    const [was, is] = [read(judge(old)), read(judge(anew))];
    if (typeof is === "string") {
      tally.leave(is);
      return;
    }
    if (typeof was === "string") {
      tally.leave(was);
      return;
    }
    const { decision } = is;
    if (decision !== undefined) {
      const found = after.policy.trunkById(decision.attempt.trunk.id);
      if (found !== undefined) enforced.note(found);
    }
    const trunk = (decision ?? was.decision)?.attempt.trunk;
    const difference = compareJudgements(was.judgement, is.judgement);
    if (trunk === undefined) tally.leave(causes.stranger);
    else if (difference === "none") tally.same();
    else
      tally.change(
        difference,
        {
          trunk: trunk.id,
          lessee: trunk.lessee ?? "",
          before: sayJudgement(was.judgement),
          after: sayJudgement(is.judgement),
          rule: decision?.rule ?? "protocol",
        },
        `${name}:${frame}`,
      );
  }

  return {
    open(path) {
      name = path;
      for (const judge of [old, anew]) judge.open(`${path}:`);
      return {
        invite: (invite) => compare(invite, (by) => by.judge(invite)),
        iam: (iam: SeenIam) => compare(iam, (by) => by.judgeIam(iam)),
        malformed: () => tally.leave(causes.unread),
        followed: joinFollowed(old.followed, anew.followed),
      };
    },
    result: () => ({ ...tally.result(), unheld: [], held: enforced.all() }),
  };
}

/** @returns why the call was not judged, in words */
function read(outcome: Outcome): Said | string {
  if (outcome.kind === "unknown-source") return stranger;
  const { decision } = outcome;
  if (decision.verdict.reason === "protocol") return causes.before;
  if (isUnreadIam(decision.attempt)) return causes.unread;
  return { judgement: judgementOf(decision), decision };
}

/** An IAM that can't be read names nobody. */
function isUnreadIam({ circuit, undecodable }: CallAttempt): boolean {
  return circuit !== undefined && undecodable !== undefined;
}

function joinFollowed(one: Followed | undefined, other: Followed | undefined): AttemptSink["followed"] {
  if (one === undefined && other === undefined) return undefined;
  return {
    sip:
      one?.sip === undefined && other?.sip === undefined
        ? undefined
        : (message, arrival: Arrival): void => {
            one?.sip?.(message, arrival);
            other?.sip?.(message, arrival);
          },
    isup(msu, message, arrival) {
      one?.isup(msu, message, arrival);
      other?.isup(msu, message, arrival);
    },
  };
}
