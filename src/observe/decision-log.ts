// The line that the log gets of a call attempt that was not carried.
import type { CallAttempt, SeizedCircuit } from "../domain/attempt.ts";
import type { Action, CallEvent, CallRef } from "../domain/call.ts";
import type { Decision, Facts } from "../domain/decision.ts";
import { causeOf, meaningOf } from "../domain/reason.ts";
import { formatEndpoint } from "../net/endpoint.ts";
import { redactNumber, redactText } from "./redact.ts";

/** The log entry of a call that was not carried. Numbers are masked. Nothing else of the message is repeated. */
export interface RefusalLine {
  /** NODE-EPOCH-COUNT; left out for a request that belongs to no known call. */
  readonly id?: string;
  readonly trunk: string;
  /** Of a request that does not begin a call: MESSAGE, a re-INVITE, UPDATE. */
  readonly method?: string;
  readonly lessee?: string;
  readonly verdict: string;
  readonly reason: string;
  readonly rule: string;
  /**
   * The asserted callers, each once. At most four. Both parties are left out for a request that was refused before they
   * were read.
   */
  readonly caller?: readonly string[];
  readonly called?: string;
  readonly source: string;
  readonly transport: string;
  readonly callId?: string;
  /** The call that this one continues with more digits. */
  readonly overlapOf?: string;
  /** The circuit of an IAM. */
  readonly isup?: SeizedCircuit;
  readonly action: string;
  /** SIP status that was answered. */
  readonly status?: number;
  /** Cause of Q.850 of a refusal. */
  readonly cause?: number;
  /** What was wrong, in words; of an accepted call, why it was not carried. */
  readonly why?: string;
  /** The notice that the row of a police, deny or shutdown list came with. A text of the policy, not of a peer. */
  readonly notice?: string;
  readonly revision: string;
  /** SIP status that was answered in place of a verdict that the engine could not obey. */
  readonly enforcedAs?: number;
}

/** What was decided about a call attempt, or about another request; `method` is that request's. */
export interface Judgement {
  readonly call: CallRef | undefined;
  readonly decision: Decision;
  readonly action: Action;
  readonly method?: string | undefined;
  readonly overlapOf?: string | undefined;
  /** True for a request that was refused before its parties were read. */
  readonly isUnread?: boolean;
}

/** Returns what an event says was decided; undefined: it tells of no decision. Without the bytes, which are overwritten. */
export function judgementOf(event: CallEvent): Judgement | undefined {
  if (event.kind === "decided") {
    const { call, decision, action, overlapOf } = event;
    return { call, decision, action, overlapOf };
  }
  if (event.kind !== "request") return undefined;
  const { call, decision, action, method, refusedAs } = event;
  return { call, decision, action, method, isUnread: refusedAs !== undefined };
}

const mostCallers = 4;

/** Characters of a Call-ID that a line repeats. */
const longestCallId = 128;

/** Characters of a method that a line repeats. A peer may write any token there. */
const longestMethod = 32;

/** @returns true when a decision belongs in the log: calls that were carried don't */
export function isRefusal({ decision: { verdict }, action }: Judgement): boolean {
  return verdict.kind === "reject" || verdict.kind === "drop" || action.kind === "answered";
}

/** Makes the log entry of a call that was not carried. Runs off the path of calls. */
export function describeRefusal(judgement: Judgement): RefusalLine {
  const { call, decision, action, method, overlapOf, isUnread = false } = judgement;
  const { attempt, verdict, rule, revision } = decision;
  const { sourceAddress, sourcePort, transport } = attempt.origin;
  const { lessee } = attempt.trunk;
  const substitute = substituteOf(decision, action);
  return {
    ...(call === undefined ? {} : { id: call.id }),
    trunk: attempt.trunk.id,
    ...(method === undefined ? {} : { method: redactText(printable(method).slice(0, longestMethod)) }),
    ...(lessee === undefined ? {} : { lessee }),
    verdict: verdict.kind,
    reason: verdict.reason,
    rule,
    ...(isUnread ? {} : describeParties(attempt)),
    source: formatEndpoint({ address: sourceAddress, port: sourcePort }),
    transport,
    ...(attempt.callId === "" ? {} : { callId: redactText(attempt.callId.slice(0, longestCallId)) }),
    ...(overlapOf === undefined ? {} : { overlapOf }),
    ...(attempt.circuit === undefined ? {} : { isup: attempt.circuit }),
    ...describeFacts(decision),
    ...describeAction(decision, action),
    revision,
    ...(substitute === undefined ? {} : { enforcedAs: substitute }),
  };
}

function describeParties({ calling, called }: CallAttempt): Pick<RefusalLine, "caller" | "called"> {
  const callers = new Set<string>();
  for (const { number } of calling) {
    if (callers.size < mostCallers) callers.add(redactNumber(number));
  }
  return { caller: [...callers], called: redactNumber(called) };
}

/** Characters of the words that a line has of a refusal. */
const longestWhy = 200;

function describeFacts(decision: Decision): Pick<RefusalLine, "why" | "notice"> {
  const why = whyOf(decision);
  const notice = decision.verdict.facts?.["notice"];
  return { ...(why === undefined ? {} : { why }), ...(typeof notice === "string" ? { notice } : {}) };
}

/**
 * Returns in words what was seen; where the rule says no more than its reason, what the reason means. Numbers are
 * masked, and nothing that a terminal would obey is repeated.
 *
 * @returns undefined when the request passes and nothing is to be said
 */
export function whyOf({ verdict: { kind, reason, facts = {} } }: Decision): string | undefined {
  const seen = kind === "accept" ? "" : wordsOf(facts);
  if (seen !== "") return redactText(printable(seen));
  return kind === "reject" || kind === "drop" ? meaningOf(reason) : undefined;
}

function wordsOf(facts: Facts): string {
  // The notice has a field of its own, in its own script.
  const all = Object.entries(facts).filter(([name]) => name !== "notice");
  const [first] = all;
  return all.length === 1 && first?.[0] === "fault"
    ? String(first[1])
    : all.map(([name, value]) => `${name} ${value}`).join(", ");
}

/** At most 200 characters of a text that may hold octets of a peer. Those outside printable ASCII are replaced. */
export function printable(text: string): string {
  let result = "";
  for (const char of text.slice(0, longestWhy)) result += char >= " " && char <= "~" ? char : "?";
  return result;
}

function describeAction(
  { verdict }: Decision,
  action: Action,
): Pick<RefusalLine, "action" | "status" | "cause" | "why"> {
  const { kind } = action;
  if (kind === "released") return { action: kind, cause: action.cause };
  if (kind !== "answered") return { action: kind };
  const { status, why } = action;
  const cause = verdict.kind === "accept" ? undefined : causeOf(verdict.reason);
  return {
    action: kind,
    status,
    ...(cause === undefined ? {} : { cause }),
    ...(why === undefined ? {} : { why }),
  };
}

/** The status that was answered in place of a verdict that does not refuse by itself. */
function substituteOf({ verdict }: Decision, action: Action): number | undefined {
  if (action.kind !== "answered" || action.why !== undefined || verdict.kind === "reject") return undefined;
  return action.status;
}
