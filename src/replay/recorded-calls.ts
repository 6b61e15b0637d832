// Makes events of calls out of record lines, so that limits and detectors can be fed with calls of the past.
import { type Action, type CallDecided, type CallEnded, endedBys, howEndeds } from "../domain/call.ts";
import { type DecidedBy, type Verdict, verdictKinds } from "../domain/decision.ts";
import type { Mutable } from "../domain/mutable.ts";
import type { Millis } from "../domain/time.ts";
import { isReasonCode, type ReasonCode } from "../domain/reason.ts";
import { ruleIds } from "../domain/rule-id.ts";
import type { Trunk } from "../domain/trunk.ts";
import { type Fields, textIn } from "../records/lines/line-fields.ts";
import { readAttempt } from "./recorded-attempts.ts";

/**
 * Reads a `decided` or an `ended` line. Never throws.
 *
 * @param trunkOf the trunk of the policy that the call is judged by
 * @returns undefined for lines of other kinds, without a time or an id, and of trunks that the policy does not have
 */
export function readRecordedEvent(
  line: Fields,
  trunkOf: (id: string) => Trunk | undefined,
): CallDecided | CallEnded | undefined {
  const { record } = line;
  if (record !== "decided" && record !== "ended") return undefined;
  const at = Date.parse(textIn(line["time"]));
  const call = { id: textIn(line["id"]), trunk: textIn(line["trunk"]) };
  if (Number.isNaN(at) || call.id === "") return undefined;
  if (record === "ended") return readRecordedEnd(line, at);
  const trunk = trunkOf(call.trunk);
  if (trunk === undefined) return undefined;
  const attempt = readAttempt(line, trunk, at);
  return {
    kind: "decided",
    call,
    at,
    decision: {
      attempt,
      verdict: readVerdict(line),
      rule: readRule(line["rule"]),
      marks: [],
      shadow: [],
      revision: textIn(line["revision"]),
    },
    action: readAction(line),
  };
}

/**
 * Reads an `ended` line. Never throws.
 *
 * @param at the time of the line. Unix milliseconds
 * @returns undefined for a line without an id
 */
export function readRecordedEnd(line: Fields, at: Millis): CallEnded | undefined {
  const id = textIn(line["id"]);
  if (id === "") return undefined;
  const end: Mutable<CallEnded> = {
    kind: "ended",
    call: { id, trunk: textIn(line["trunk"]) },
    at,
    by: endedBys.find((name) => name === line["by"]) ?? "filter",
    how: howEndeds.find((name) => name === line["how"]) ?? "lost",
  };
  const number = (field: string): number | undefined => {
    const value = line[field];
    return typeof value === "number" ? value : undefined;
  };
  const [status, cause, ringing, answered, seconds] = [
    number("status"),
    number("cause"),
    number("ringingMs"),
    number("answeredMs"),
    number("seconds"),
  ];
  if (status !== undefined) end.status = status;
  if (cause !== undefined) end.cause = cause;
  if (ringing !== undefined) end.ringingMs = ringing;
  if (answered !== undefined) end.answeredMs = answered;
  if (seconds !== undefined) end.talkedMs = seconds * 1000;
  return end;
}

function readVerdict(line: Fields): Verdict {
  const kind = verdictKinds.find((name) => name === line["verdict"]) ?? "accept";
  const code = textIn(line["reason"]);
  const reason: ReasonCode = isReasonCode(code) ? code : "default";
  return { kind, reason };
}

function readRule(value: unknown): DecidedBy {
  if (value === "protocol" || value === "exception") return value;
  return ruleIds.find((id) => id === value) ?? "default";
}

function readAction(line: Fields): Action {
  const hop = textIn(line["nextHop"]);
  const status = typeof line["status"] === "number" ? line["status"] : 0;
  switch (line["action"]) {
    case "forwarded":
    case "redirected":
      return { kind: line["action"], hop };
    case "released":
      return { kind: "released", cause: typeof line["cause"] === "number" ? line["cause"] : 0 };
    case "answered":
      return { kind: "answered", status };
    default:
      return { kind: "silent" };
  }
}
