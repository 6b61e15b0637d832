// Says in words what became of a call.
import type { ReadLine } from "../../records/asking/record-filter.ts";
import { sayAction, show } from "./record-table.ts";

/**
 * Says how a call ended.
 *
 * @param call its `decided` line
 * @param end its `ended` line; undefined: none was found
 */
export function sayEnd(call: ReadLine, end: ReadLine | undefined): string {
  if (call["action"] === "redirected") return "redirected to the next hop: the call did not pass here";
  if (call["action"] !== "forwarded") return `the call ended here: ${sayAction(call)}`;
  if (end === undefined)
    return "no end is recorded: the call is in progress, or its end is in records that were not asked";
  const parts = [sayHow(end), sayAnswer(end), sayCodes(end)];
  return parts.filter((part) => part !== "").join(", ");
}

const parties: Readonly<Record<string, string>> = {
  caller: "the calling party",
  called: "the called party",
  filter: "the filter",
};

function sayHow({ by, how, status, answeredMs }: ReadLine): string {
  const who = parties[String(by)] ?? show(by);
  switch (how) {
    case "cancelled":
      return `${who} gave up before an answer`;
    case "refused":
      return `the set-up failed: ${who} refused it${status === undefined ? "" : ` with ${show(status)}`}`;
    case "released":
      return `ended by ${who}`;
    case "timed-out":
      return answeredMs === undefined
        ? "nobody answered in time"
        : "the session expired without a sign of life";
    case "lost":
      return "the end was never seen";
    default:
      return show(how);
  }
}

function sayAnswer({ ringingMs, answeredMs, seconds }: ReadLine): string {
  const parts: string[] = [];
  if (typeof ringingMs === "number") parts.push(`ringing after ${inSeconds(ringingMs)}`);
  if (typeof answeredMs === "number") parts.push(`answered after ${inSeconds(answeredMs)}`);
  if (typeof seconds === "number") parts.push(`${seconds} s long`);
  return parts.join(", ");
}

function inSeconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`;
}

function sayCodes({ cause, how, status }: ReadLine): string {
  const parts = [
    ...(how === "cancelled" && status !== undefined ? [`status ${show(status)}`] : []),
    ...(cause === undefined ? [] : [`cause ${show(cause)}`]),
  ];
  return parts.join(", ");
}
