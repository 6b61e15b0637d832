// Tells one recorded call for people: what was decided, by what, what it would be now, and what became of it.
import type { ReadLine } from "../../records/asking/record-filter.ts";
import { isFields, objectsIn, textIn } from "../../records/lines/line-fields.ts";
import type { Judged } from "./call-judging.ts";
import { sayEnd } from "./call-endings.ts";
import { alignRows, plain } from "./plain-text.ts";
import { isOfQuarantine, sayFinding } from "./binding-findings.ts";
import { isOfStoppedLine, sayOrder } from "./stopping-orders.ts";
import { type Clock, sayAction, sayCircuit, sayMonitored, sayMark, show, showParty } from "./record-table.ts";

/** All that is known of a call. */
export interface CallStory {
  readonly call: ReadLine;
  readonly end: ReadLine | undefined;
  /** By the policy of then and of today; a string says why there is none. */
  readonly former: Judged | string;
  readonly today: Judged | string;
  /** The row of the list that decided, as the kept policy has it. */
  readonly row: Readonly<Record<string, string>> | undefined;
  /** The `order` line that stopped the line of the call; undefined: none is recorded, or none stopped it. */
  readonly order: ReadLine | undefined;
  /** The `finding` line that bound the call; undefined: none is recorded, or none bound it. */
  readonly finding: ReadLine | undefined;
  /** What the record does not hold. */
  readonly missing: readonly string[];
}

/** Lays out a story; every line ends with a line end. Text of peers is plain. */
export function layOutStory(story: CallStory, clock: Clock): string {
  const { call, end, former, today, missing } = story;
  const { rule, verdict, reason, revision } = call;
  const rows: readonly (readonly [label: string, text: string])[] = [
    ["time", clock(call.time)],
    ["trunk", sayTrunk(call)],
    ...(call["contract"] === undefined ? [] : [["contract", show(call["contract"])] as const]),
    ["calling", sayParties(call["calling"])],
    ...(objectsIn(call["diversion"]).length > 0
      ? [["diverted by", sayParties(call["diversion"])] as const]
      : []),
    ["called", showParty(call["called"])],
    ["decided", `${show(verdict)} ${show(reason)} by ${show(rule)}; ${sayAction(call)}${sayWhy(call)}`],
    ...sayList(story),
    ...(isOfStoppedLine(call) ? [["order", sayStop(story, clock)] as const] : []),
    ...(isOfQuarantine(call) ? [["finding", sayBinding(story, clock)] as const] : []),
    ...sayShadow(call),
    ...sayMarks(call),
    ["revision", show(revision)],
    ["end", `${sayEnd(call, end)}${sayTeller(call, end)}`],
    ["then", sayJudged(former, call)],
    ["today", sayJudged(today, call)],
    ...(typeof today === "string"
      ? []
      : today.changes.map((change, index) => [index === 0 ? "to turn it" : "", plain(change)] as const)),
    ...missing.map((what, index) => [index === 0 ? "not recorded" : "", what] as const),
  ];
  const title = `call ${show(call["id"])}${call["callId"] === undefined ? "" : `, Call-ID ${plain(textIn(call["callId"]))}`}`;
  const lines = alignRows(rows.map(([label, text]) => [`  ${label}`, plain(text)]));
  return [title, ...lines, ""].map((line) => `${line}\n`).join("");
}

/** A node that takes a call over writes its end; orders and findings stand in the records of the node that they came to. */
function sayTeller({ node }: ReadLine, line: ReadLine | undefined): string {
  return line === undefined || line["node"] === node ? "" : `; told by node ${show(line["node"])}`;
}

function sayTrunk({ trunk, lessee, source, transport, listener, isup }: ReadLine): string {
  const circuit = isFields(isup) ? [` on circuit ${sayCircuit(isup)}`] : [];
  return [
    show(trunk),
    ...(lessee === undefined ? [] : [` of ${show(lessee)}`]),
    ...(source === undefined ? [] : [`, from ${show(source)} over ${show(transport)}`]),
    ...(listener === undefined ? [] : [` to ${show(listener)}`]),
    ...circuit,
  ].join("");
}

function sayParties(parties: unknown): string {
  const written = objectsIn(parties).map((party) => `${showParty(party)} (${show(party["source"])})`);
  return written.length === 0 ? "nobody" : written.join(", ");
}

function sayWhy({ why, nextHop }: ReadLine): string {
  return `${why === undefined ? "" : `, ${show(why)}`}${nextHop === undefined ? "" : ` to ${show(nextHop)}`}`;
}

function sayList({ call, row }: CallStory): readonly (readonly [string, string])[] {
  const { listLine, notice } = call;
  const cells = new Map(Object.entries(row ?? {}));
  if (typeof notice === "string") cells.set("notice", notice);
  if (listLine === undefined && cells.size === 0) return [];
  const said = [...cells].map(([name, value]) => `${name} ${plain(value)}`).join(", ");
  return [["list line", [show(listLine), said].filter((part) => part !== "").join(": ")]];
}

function sayStop({ call, order }: CallStory, clock: Clock): string {
  return order === undefined
    ? "no order for this line is recorded before the call"
    : `${sayOrder(order, clock)}${sayTeller(call, order)}`;
}

function sayBinding({ call, finding }: CallStory, clock: Clock): string {
  return finding === undefined
    ? "the finding is not recorded"
    : `${sayFinding(finding, clock)}${sayTeller(call, finding)}`;
}

function sayShadow({ shadow }: ReadLine): readonly (readonly [string, string])[] {
  return objectsIn(shadow).map((hit, index) => [index === 0 ? "monitored" : "", sayMonitored(hit)]);
}

/** What was done with a call beside its verdict: an order observes the line, a rule labels the call. */
function sayMarks({ marks }: ReadLine): readonly (readonly [string, string])[] {
  return objectsIn(marks).map((mark, index) => [index === 0 ? "marked" : "", sayMark(mark)]);
}

/** What a policy says; where it differs from the record, both are said. */
function sayJudged(judged: Judged | string, call: ReadLine): string {
  if (typeof judged === "string") return judged;
  const { revision, verdict, reason, decidedBy, saw, line, row } = judged;
  const cells =
    row === undefined
      ? ""
      : ` (${Object.entries(row)
          .map((cell) => cell.join(" "))
          .join(", ")})`;
  const where = line === undefined ? "" : ` [${line}]${cells}`;
  const isSame = call["verdict"] === verdict && call["reason"] === reason;
  const said = `policy ${revision}: ${verdict} ${reason} by ${decidedBy}${saw === "" ? "" : `, which saw ${saw}`}${where}`;
  return plain(isSame ? `${said}; the same as recorded` : `${said}; not what was recorded`);
}
