// The line that the log gets of a call attempt that was not carried.
import type { SeizedCircuit } from "../domain/attempt.ts";
import type { Action, CallEvent, CallRef } from "../domain/call.ts";
import type { Decision } from "../domain/decision.ts";
import { causeOf } from "../domain/reason.ts";
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
  /** The asserted callers, each once. At most four. */
  readonly caller: readonly string[];
  readonly called: string;
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
  readonly revision: string;
  /** SIP status that was answered in place of a verdict that the engine could not obey. */
  readonly enforcedAs?: number;
}

/** What was decided about a call attempt, or about another request that was judged; `method` is that request's. */
export interface Judgement {
  readonly call: CallRef | undefined;
  readonly decision: Decision;
  readonly action: Action;
  readonly method?: string | undefined;
  readonly overlapOf?: string | undefined;
}

/** Returns what an event says was judged; undefined: it tells of no judgement. Without the bytes, which are overwritten. */
export function judgementOf(event: CallEvent): Judgement | undefined {
  if (event.kind === "decided") {
    const { call, decision, action, overlapOf } = event;
    return { call, decision, action, overlapOf };
  }
  if (event.kind !== "request" || event.decision === undefined) return undefined;
  return { call: event.call, decision: event.decision, action: event.action, method: event.method };
}

const mostCallers = 4;

/** Characters of a Call-ID that a line repeats. */
const longestCallId = 128;

/** @returns true when a decision belongs in the log: calls that were carried don't */
export function isRefusal({ decision: { verdict }, action }: Judgement): boolean {
  return verdict.kind === "reject" || verdict.kind === "drop" || action.kind === "answered";
}

/** Makes the log entry of a call that was not carried. Runs off the path of calls. */
export function describeRefusal({ call, decision, action, method, overlapOf }: Judgement): RefusalLine {
  const { attempt, verdict, rule, revision } = decision;
  const callers = new Set<string>();
  for (const { number } of attempt.calling) {
    if (callers.size < mostCallers) callers.add(redactNumber(number));
  }
  const { sourceAddress, sourcePort, transport } = attempt.origin;
  const { lessee } = attempt.trunk;
  const substitute = substituteOf(decision, action);
  return {
    ...(call === undefined ? {} : { id: call.id }),
    trunk: attempt.trunk.id,
    ...(method === undefined ? {} : { method }),
    ...(lessee === undefined ? {} : { lessee }),
    verdict: verdict.kind,
    reason: verdict.reason,
    rule,
    caller: [...callers],
    called: redactNumber(attempt.called),
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

/** Characters of the words that a line has of a refusal. */
const longestWhy = 200;

/** What the rule saw. Numbers are masked, and nothing that a terminal would obey is repeated. */
function describeFacts({ verdict }: Decision): Pick<RefusalLine, "why"> {
  if (verdict.kind === "accept" || verdict.facts === undefined) return {};
  const facts = Object.entries(verdict.facts);
  const [first] = facts;
  const text =
    facts.length === 1 && first?.[0] === "fault"
      ? String(first[1])
      : facts.map(([name, value]) => `${name} ${value}`).join(", ");
  if (text === "") return {};
  return { why: redactText(printable(text)) };
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
