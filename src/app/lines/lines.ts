// Takes line orders, puts them in force at once, keeps them, lets them end, and tells each of them.
import { isStopped, type LineId, type LineOrder, type LineState } from "../../domain/line-state.ts";
import type { Millis } from "../../domain/time.ts";
import type { TrunkId } from "../../domain/trunk.ts";
import { createCalendar } from "../../config/lists/calendar.ts";
import { type Shared, tellNobody } from "../../cluster/shared-entries.ts";
import type { Policy, PolicyLine } from "../../policy/policy.ts";
import type { CommandedLines, HeldOrder } from "../../screening/line-orders.ts";
import { isLater, type LineChange, readChanges, stampAfter } from "../../domain/line-change.ts";
import { findLine, isRefusal } from "./line-names.ts";
import {
  type LineAnswer,
  type LineRequest,
  NOTHING_RELEASED,
  refuseOrder,
  type Released,
} from "./line-request.ts";
import { type KeptLines, MOST_ORDERS, type OrderNote } from "./lines-document.ts";
import { describeTaken, heldOrder, orphansOf, ownOrder, stateOf } from "./lines-held.ts";
import { describeOrder } from "./order-note.ts";
import { readEnd, whyStillStopped } from "./order-terms.ts";

/** What the lines work on. All of it belongs to the call thread. */
export interface LinesParts {
  /** What was kept, as `findLines` found it. */
  readonly kept: KeptLines;
  /** Where the rule `line-state` reads the orders given by command. Each change puts a new map there. */
  readonly commanded: CommandedLines;
  readonly policy: () => Policy;
  /** The wall clock, in Unix milliseconds: orders end by it. */
  readonly now: () => Millis;
  /** Keeps the orders over a restart. Rejects when that is not possible. */
  readonly keep: (lines: KeptLines) => Promise<void>;
  /** Why no order can be kept at all; undefined: orders can be kept. */
  readonly unkept: () => string | undefined;
  /** Takes each order, for the records. */
  readonly note: (line: OrderNote) => void;
  /** The name of this node. Left out: it has none. */
  readonly node?: string;
  /** Takes each order that another node has taken, and what became of its calls here. The records of that node have it. */
  readonly heard?: (line: OrderNote, from: string) => void;
  /** Ends the calls of trunks. Left out: nothing can be released. */
  readonly release?: ((trunks: ReadonlySet<TrunkId>) => Promise<Released>) | undefined;
  /** Calls in progress on a trunk; for what can't be released. Left out with `release`: no calls are here at all. */
  readonly callsOn?: (trunk: TrunkId) => number;
  readonly warn: (message: string) => void;
  readonly fault: (error: unknown) => void;
}

/** The orders for lines of a running filter. */
export interface Lines {
  /** Takes an order. It is in force before this returns; the promise resolves when it is kept, and calls are released. */
  readonly order: (request: LineRequest) => Promise<LineAnswer>;
  /** Tells what changed since the last run, and what the policy says. Call it once, before the first call. */
  readonly begin: () => void;
  /** Another policy is in force. */
  readonly policyChanged: () => void;
  /** Lets orders end and begin by their dates. Called every second or so. */
  readonly tick: () => void;
  /** What commands have made of lines, as nodes tell each other. */
  readonly shared: Shared<LineChange>;
  /** Resolves when everything that was begun is written. */
  readonly settled: () => Promise<void>;
}

/** An order that is being taken. */
interface Change extends LineChange {
  /** What held before by command. Undefined: no command had changed the line. */
  former: LineChange | undefined;
  /** What another node has told meanwhile, and this change comes after. */
  passed: LineChange | undefined;
}

/** Makes the lines, and puts in force what was kept. */
export function createLines(parts: LinesParts): Lines {
  const { commanded, policy, now, node = "" } = parts;
  const orders = new Map(parts.kept.orders);
  const changes = readChanges(parts.kept.orders, parts.kept.changes, node);
  const states = new Map(parts.kept.states);
  let untold: readonly OrderNote[] = [];
  let writing: Promise<unknown> = Promise.resolve();
  /** Changes that are not told yet: they are being written, or their calls are being released. */
  const changing = new Set<Change>();
  /** Lines that the policy lost while an order for them is in force. Each is told once. */
  let orphans: ReadonlySet<LineId> = new Set();
  /** What was heard before the first call: calls of before the start are not there yet. */
  const early: (readonly [from: string, change: LineChange])[] = [];
  let isBegun = false;
  /** The last writing failed. */
  let isBehind = false;
  let share: (change: LineChange) => void = tellNobody;

  /** False for a command without a running filter: the next start releases. */
  const hasCalls = parts.release !== undefined || parts.callsOn !== undefined;

  const publish = (): void => {
    commanded.orders = new Map(orders);
  };
  publish();

  /** What commands have made of a line. Undefined: nothing. */
  function changeOf(line: LineId): LineChange | undefined {
    const stamp = changes.get(line);
    return stamp === undefined ? undefined : { line, stamp, order: orders.get(line) };
  }

  function shareLine(line: LineId): void {
    const change = changeOf(line);
    if (change !== undefined) share(change);
  }

  /** One writing at a time; each writes what is kept by then. */
  function keep(): Promise<void> {
    const written = writing.then(() => parts.keep({ orders, changes, states, untold }));
    writing = written.catch(() => undefined);
    return written;
  }

  /** What is told is written without waiting: should it fail, it is tried again, and the next start tells it once more. */
  const keepSoon = (): void => {
    if (parts.unkept() !== undefined) return;
    keep().then(
      () => (isBehind = false),
      (error: unknown) => {
        if (!isBehind) parts.fault(error);
        isBehind = true;
      },
    );
  };

  /** The state counts as told: and is not told again. */
  function mark({ line, state }: OrderNote): void {
    if (state === "active") states.delete(line);
    else states.set(line, state);
  }

  function tell(note: OrderNote): void {
    untold = untold.filter((other) => other !== note);
    mark(note);
    parts.note(note);
  }

  async function releaseCalls(trunks: readonly TrunkId[]): Promise<Released> {
    try {
      if (parts.release !== undefined) return await parts.release(new Set(trunks));
    } catch (error) {
      // The order holds all the same, and is told.
      parts.fault(error);
    }
    let notReleasable = 0;
    for (const trunk of trunks) notReleasable += parts.callsOn?.(trunk) ?? 0;
    return { ...NOTHING_RELEASED, notReleasable };
  }

  function noteOf(line: LineId, state: LineState, order: LineOrder | undefined, by: string): OrderNote {
    return describeOrder(now(), { id: line, state, previous: states.get(line) ?? "active" }, order, by);
  }

  /** Tells a change that no command made, and releases calls where its order says so. */
  function tellChange(line: PolicyLine, held: HeldOrder | undefined, note: OrderNote): void {
    const isRelease = held !== undefined && isStopped(held.order.state) && held.order.calls === "release";
    if (!isRelease) {
      tell(note);
      return;
    }
    mark(note);
    releaseCalls(line.trunks)
      .then((counts) => parts.note({ ...note, calls: "release", ...counts }))
      .catch(parts.fault);
  }

  /** Tells every line whose state is another than was told last. @returns true when there was one */
  function compare(cause: "file" | "until"): boolean {
    const at = now();
    let hasChanged = false;
    for (const line of policy().lines) {
      const held = ownOrder(line, commanded, at);
      const state = stateOf(held);
      // What is told by the command that gave it is not told here too.
      if (state === (states.get(line.id) ?? "active") || isChanging(line.id)) continue;
      hasChanged = true;
      const isLifted = held === undefined || (cause === "until" && held.order.since === undefined);
      const by = isLifted ? cause : held.place === undefined ? "command" : "file";
      tellChange(line, held, noteOf(line.id, state, held?.order, by));
    }
    return hasChanged;
  }

  /** Tells an order of before the start. Calls that the last process has not released are released now. */
  function tellLate(note: OrderNote): void {
    const line = policy().lines.find(({ id }) => id === note.line);
    const held = line === undefined ? undefined : ownOrder(line, commanded, now());
    if (line === undefined || note.calls !== "release" || note.released !== undefined) tell(note);
    else tellChange(line, held, note);
  }

  /** Takes away the orders by command that have ended. @returns true when there was one */
  function endOrders(): boolean {
    const at = now();
    let hasEnded = false;
    for (const [line, order] of orders) {
      if (order.until === undefined || at < order.until) continue;
      orders.delete(line);
      publish();
      hasEnded = true;
      const note = noteOf(line, stateOf(ownOrder(lineBy(line), commanded, at)), order, "until");
      const from = changes.get(line)?.node ?? node;
      if (from === node) tell(note);
      else {
        // The node that took the order tells its end.
        mark(note);
        parts.heard?.(note, from);
      }
    }
    return hasEnded;
  }

  function tellOrphans(): void {
    const found = orphansOf(policy(), commanded, now());
    for (const line of found)
      if (!orphans.has(line))
        parts.warn(
          `an order for ${line} is kept, and the policy has no such line: it holds again when the line is there`,
        );
    orphans = new Set(found);
  }

  function isChanging(line: LineId): boolean {
    for (const change of changing) if (change.line === line) return true;
    return false;
  }

  function lineBy(id: LineId): PolicyLine {
    return policy().lines.find((line) => line.id === id) ?? { id, placed: undefined, trunks: [] };
  }

  function put(line: LineId, change: Omit<LineChange, "line"> | undefined): void {
    if (change?.order === undefined) orders.delete(line);
    else orders.set(line, change.order);
    if (change === undefined) changes.delete(line);
    else changes.set(line, change.stamp);
    publish();
  }

  /** Takes a change back. A later change of the line stays; should it be taken back too, what was before both holds. */
  function takeBack({ line, stamp, former, passed }: Change): void {
    if (changes.get(line) === stamp) put(line, former);
    for (const later of changing)
      if (later.line === line && later.former?.stamp === stamp) later.former = former;
    if (passed !== undefined) hear(passed.stamp.node, passed);
  }

  /** Takes what another node has told. It is in force before this returns. */
  function hear(from: string, told: LineChange): void {
    const { line, stamp } = told;
    const at = now();
    const hasEnded = told.order?.until !== undefined && told.order.until <= at;
    const change: LineChange = hasEnded ? { line, stamp, order: undefined } : told;
    const known = changeOf(line);
    if (!isLater(change, known)) {
      for (const own of changing)
        if (own.line === line && isLater(change, own.passed ?? own.former)) own.passed = change;
      return;
    }
    if (known === undefined && changes.size >= MOST_ORDERS) return;
    put(line, change);
    if (isBegun) takeHeard(from, change);
    else early.push([from, change]);
  }

  /** Tells what another node has told, and releases the calls of this node. */
  function takeHeard(from: string, { line, stamp, order }: LineChange): void {
    // A later change has been heard meanwhile.
    if (changes.get(line) !== stamp) return;
    const at = now();
    const place = lineBy(line);
    const held = ownOrder(place, commanded, at);
    const note = noteOf(line, stateOf(held), order, "command");
    mark(note);
    if (order === undefined || !isStopped(order.state) || order.calls !== "release")
      parts.heard?.(note, from);
    else
      releaseCalls(place.trunks)
        .then((counts) => parts.heard?.({ ...note, calls: "release", ...counts }, from))
        .catch(parts.fault);
    keepSoon();
    // Each node keeps it for those that start: the node that took it may be gone for good.
    shareLine(line);
  }

  /** Puts an order in force, or takes it away (undefined), and keeps that. @returns the refusal; then nothing has changed */
  async function keepChange(change: Change, note: OrderNote): Promise<LineAnswer | undefined> {
    put(change.line, change);
    untold = [...untold, note];
    try {
      await keep();
      return undefined;
    } catch (error) {
      untold = untold.filter((other) => other !== note);
      takeBack(change);
      const why = error instanceof Error ? error.message : String(error);
      return refuseOrder(503, `the order can't be kept: ${why}; nothing was changed`);
    }
  }

  async function take(request: LineRequest): Promise<LineAnswer> {
    const line = findLine(policy(), commanded, request);
    if (isRefusal(line)) return line;
    const unkept = parts.unkept();
    if (unkept !== undefined) return refuseOrder(503, `${unkept}; nothing was changed`);
    const at = now();
    const { state, order: reference, reason, authority, calls } = request;
    const end = readEnd(request.until, createCalendar(policy().timeZone), at);
    if (typeof end === "string") return refuseOrder(400, end);
    const isOpening = state === "active";
    const stopped = isOpening ? whyStillStopped(policy(), line, commanded, at) : undefined;
    if (stopped !== undefined) return refuseOrder(409, stopped);
    const before = stateOf(heldOrder(policy(), line, commanded, at));
    const terms = { order: reference, reason, ...(authority === undefined ? {} : { authority }) };
    const order: LineOrder | undefined = isOpening
      ? undefined
      : { state, calls, ...terms, ...(end === undefined ? {} : { until: end }) };
    // The state that holds afterwards: that of the policy may be stricter.
    const after = new Map<LineId, LineOrder>(order === undefined ? [] : [[line.id, order]]);
    const result = stateOf(ownOrder(line, { orders: after }, at));
    const note: OrderNote = {
      ...noteOf(
        line.id,
        result,
        { ...terms, state, calls, ...(end === undefined ? {} : { until: end }) },
        "command",
      ),
      ...(isOpening ? {} : { calls }),
    };
    const former = changeOf(line.id);
    const stamp = stampAfter(former?.stamp, at, node);
    const change: Change = { line: line.id, order, stamp, former, passed: undefined };
    changing.add(change);
    try {
      const refusal = await keepChange(change, note);
      if (refusal !== undefined) return refusal;
      shareLine(line.id);
      mark(note);
      const releases = calls === "release" && hasCalls;
      const counts = releases ? await releaseCalls(line.trunks) : NOTHING_RELEASED;
      untold = untold.filter((other) => other !== note);
      parts.note(releases ? { ...note, ...counts } : note);
      keepSoon();
      return describeTaken(policy(), line, before, heldOrder(policy(), line, commanded, now()), counts);
    } finally {
      changing.delete(change);
    }
  }

  return {
    order: take,
    begin() {
      isBegun = true;
      for (const [from, change] of early.splice(0)) takeHeard(from, change);
      const late = parts.kept.untold;
      for (const note of late) tellLate(note);
      const hasEnded = endOrders();
      const hasChanged = compare("file");
      tellOrphans();
      if (hasEnded || hasChanged || late.length > 0) keepSoon();
    },
    policyChanged() {
      if (compare("file")) keepSoon();
      tellOrphans();
    },
    tick() {
      const hasEnded = endOrders();
      if (compare("until") || hasEnded || isBehind) keepSoon();
    },
    shared: {
      tellTo(toOthers) {
        share = toOthers;
      },
      heard: hear,
      *entries() {
        for (const [line, stamp] of changes) yield { line, stamp, order: orders.get(line) };
      },
    },
    async settled() {
      await writing;
    },
  };
}
