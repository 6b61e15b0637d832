// Calls of several nodes: each tells the others what it lets go on and what becomes of it, and counts theirs as its own.
import type { Buffer } from "node:buffer";
import type { CallName, CallSlot } from "../calls/calls.ts";
import { parseCallId, formatCallId, formatIdPrefix } from "../calls/call-id.ts";
import type { CallDecided, CallEnded, CallEvent, CallMoved, CallNaming, HopId } from "../domain/call.ts";
import type { Millis } from "../domain/time.ts";
import type { TrunkId } from "../domain/trunk.ts";
import type { Mutable } from "../domain/mutable.ts";
import { parseEndpoint } from "../net/address.ts";
import { noCalls, type SharedCallsFigures } from "../observe/cluster/cluster-figures.ts";
import type { Policy } from "../policy/policy.ts";
import type { CallSetup } from "../proxy/memory/call-setup.ts";
import type { ElsewhereView, SetupsElsewhere, SharedMemory } from "../proxy/memory/shared-memory.ts";
import type { Target } from "../routing/listener.ts";
import { makesEmergencyParty } from "../screening/emergency-parties.ts";
import type { ScreeningState } from "../screening/state.ts";
import { AttemptFlag, transports } from "./batch-layout.ts";
import { type BatchItems, type NamedCall, readBatch } from "./batch-reading.ts";
import { createBatchPen } from "./batch-writing.ts";
import type { NodeRef } from "./exchange.ts";
import { createRoster } from "./roster.ts";
import { attemptOf, decidedOf, endedOf } from "./told-events.ts";

/** Refusals whose repeats other nodes are told of, at most, in one batch: a flood of refused calls must not crowd it. */
const MOST_REFUSALS = 200;
/** Octets of batches that are kept until there is a memory of calls. */
const MOST_EARLY: number = 16 * 2 ** 20;
/** Calls of other nodes whose end here is remembered. */
const MOST_ENDED = 65_536;
/** An item that says that it is older is not believed. */
const OLDEST: Millis = 10 * 60_000;

export interface CallSharingParts {
  readonly naming: CallNaming;
  readonly state: ScreeningState;
  readonly policy: () => Policy;
  /** Hands a batch to the other nodes. */
  readonly send: (batch: Uint8Array<ArrayBuffer>) => void;
  /** Takes events of calls of other nodes, where several calls together matter: detectors, unanswered calls. */
  readonly heard: (event: CallEvent) => void;
  /** False: only emergency calls matter so. Asked for every call. */
  readonly hears: () => boolean;
  /** The engine's clock. */
  readonly now: () => Millis;
  /**
   * Until when on the wall clock the counts of limits by contract know what happened, of the former process too: what is
   * older is not counted again. 0 when left out.
   */
  readonly countedUntil?: Millis;
  /** Told the id of a call that this node began, and that has ended on another one, which writes its end. */
  readonly endedElsewhere?: ((id: string) => void) | undefined;
}

export interface CallSharing {
  /** For the engine. */
  readonly memory: SharedMemory;
  /** Takes every event of this node's calls. Runs on the path of calls. */
  readonly happened: (event: CallEvent) => void;
  /** Sends what there is. Call it every 100 ms. */
  readonly flush: () => void;
  /** Takes a batch of another node, sent `age` milliseconds ago. */
  readonly batch: (from: NodeRef, bytes: Uint8Array, age: Millis) => void;
  readonly peer: (from: NodeRef, what: "new" | "gone" | "back") => void;
  readonly figures: () => SharedCallsFigures;
}

/** A batch that came before there was a memory of calls. */
interface EarlyBatch {
  readonly from: NodeRef;
  readonly bytes: Uint8Array;
  readonly age: Millis;
  readonly at: Millis;
}

export function createCallSharing(parts: CallSharingParts): CallSharing {
  const { naming, state, policy, now, countedUntil = 0 } = parts;
  const pen = createBatchPen();
  const ownPrefix = formatIdPrefix(naming.node, naming.epoch);
  const ownNode = `${naming.node}-`;
  const figures: Mutable<SharedCallsFigures> = { ...noCalls };
  let calls: ElsewhereView | undefined;
  /** What was heard before there was a memory of calls. */
  const early: EarlyBatch[] = [];
  let earlyOctets = 0;
  const come: string[] = [];
  let setups: SetupsElsewhere | undefined;
  /** Calls whose state has changed since the last batch. */
  const changed = new Set<CallSlot>();
  let refusals = 0;
  /** Calls of other nodes that have ended here: who restarts and has not heard of it is told again. */
  const endedHere = new Set<string>();
  const roster = createRoster({
    calls: () => calls,
    pen,
    tellRow: (slot) => tellRow(slot, true),
    now,
  });

  function nodeOf({ node = 0 }: CallName): string {
    return node === 0 ? "" : (calls?.nodeName(node) ?? "");
  }

  /** The name of a call by its id: nearly always one of this process. */
  function nameOf(id: string): { readonly name: CallName; readonly node: string } | undefined {
    if (id.startsWith(ownPrefix)) {
      const name = { epoch: naming.epoch, count: Number(id.slice(ownPrefix.length)) };
      return { name, node: "" };
    }
    const parsed = parseCallId(id);
    if (parsed === undefined) return undefined;
    return { name: parsed.name, node: parsed.node === naming.node ? "" : parsed.node };
  }

  function hasRoom(): boolean {
    if (pen.hasRoom()) return true;
    flushPen();
    return pen.hasRoom();
  }

  function flushPen(): void {
    if (pen.length > 0) parts.send(pen.take(now()));
  }

  function tellAttempt(event: CallDecided): void {
    const { attempt } = event.decision;
    const isPaid = state.paid.attempt === attempt;
    const isForwarded = event.action.kind === "forwarded";
    if (!isPaid && !isForwarded && !(passes(event) && makesEmergencyParty(attempt))) return;
    const named = nameOf(event.call.id);
    if (named === undefined || !hasRoom()) {
      figures.untold++;
      return;
    }
    const flags =
      (isPaid ? AttemptFlag.paid : 0) |
      (isForwarded ? AttemptFlag.forwarded : 0) |
      (attempt.emergencyUrn ? AttemptFlag.emergencyUrn : 0) |
      (attempt.origin.signalling === "isup" ? AttemptFlag.isup : 0);
    pen.attempt(named.name, named.node, attempt, flags, event.at - state.wall.ahead);
  }

  function tellEnd(event: CallEnded): void {
    const named = nameOf(event.call.id);
    if (named === undefined || !hasRoom()) {
      figures.untold++;
      return;
    }
    pen.ended(named.name, named.node, event, event.at - state.wall.ahead);
    if (event.call.id.startsWith(ownNode)) return;
    for (const oldest of endedHere) {
      if (endedHere.size < MOST_ENDED) break;
      endedHere.delete(oldest);
    }
    endedHere.add(event.call.id);
  }

  /** @returns false where there was no room */
  function tellRow(slot: CallSlot, isRoster: boolean): boolean {
    if (calls === undefined || !hasRoom()) return false;
    const view = calls;
    const name = view.nameAt(slot);
    const pack = (out: Buffer, at: number): number => view.pack(slot, out, at);
    const isTold = pen.row(name, nodeOf(name), view.trunkOf(slot), view.turnOf(slot), isRoster, pack);
    return isTold || !isRoster;
  }

  function tellMoved({ call: { id, trunk }, hop }: CallMoved): void {
    const named = nameOf(id);
    if (named !== undefined && hasRoom()) pen.moved(named.name, named.node, trunk, hop);
  }

  /** The node that sent the batch that is being read, and how long that was on its way. */
  let sender: NodeRef = naming;
  let carrier = 0;
  let transit: Millis = 0;
  let time: Millis = 0;

  /** The number of the node that began a call. */
  function beginnerOf({ node }: NamedCall): number {
    if (node === "") return carrier;
    return node === naming.node ? 0 : (calls?.numberOf(node) ?? 0);
  }

  function nameOfTold(call: NamedCall): CallName {
    return { epoch: call.epoch, count: call.count, node: beginnerOf(call) };
  }

  function idOf(call: NamedCall): string {
    const { node, epoch, count } = call;
    return formatCallId(node === "" ? sender.node : node, { epoch, count });
  }

  function wallAt(ago: Millis): Millis {
    return time + state.wall.ahead - Math.min(Math.max(0, ago) + transit, OLDEST);
  }

  const items: BatchItems = {
    attempt(call, told) {
      const source = policy().trunkById(call.trunk);
      if (source === undefined) return;
      const attempt = attemptOf(told, source.trunk, wallAt(told.ago));
      const isKnown = attempt.at <= countedUntil;
      if ((told.flags & AttemptFlag.paid) !== 0) {
        source.screen.count(attempt, isKnown ? withoutFrequency(state) : state);
        figures.counted++;
      }
      if (isKnown) return;
      if (parts.hears() || makesEmergencyParty(attempt))
        parts.heard(decidedOf(told.flags, attempt, { id: idOf(call), trunk: call.trunk }));
    },
    decision(call, { bytes, start, end, fingerprint, outcome }) {
      if (setups === undefined || carrier <= 0) return;
      const { trunk } = call;
      const isPassing = outcome.kind === "forward";
      const setupOf = (slot: CallSlot): CallSetup => ({
        slot,
        trunk,
        fingerprint,
        outcome,
        dialled: "",
        sent: undefined,
        head: undefined,
        isHeard: false,
      });
      const key = { trunk, bytes, start, end, isPassing };
      if (!setups.decided(nameOfTold(call), carrier, key, setupOf, time)) figures.noRoom++;
    },
    row(call, row, turn, isRoster) {
      if (isRoster) roster.heardRow(sender.node);
      if (calls === undefined) return;
      const { trunk } = call;
      const name = nameOfTold(call);
      if (carrier <= 0 || (name.node ?? 0) < 0) {
        figures.noRoom++;
        return;
      }
      if (endedHere.size > 0 && endedHere.has(idOf(call))) {
        if (hasRoom()) pen.ended(name, nodeOf(name), endedBefore(idOf(call), trunk, wallAt(0)), time);
        return;
      }
      const isAnswered = calls.take({ name, trunk, carrier, turn, row, transit }, time);
      if (isAnswered && parts.hears())
        parts.heard({ kind: "answered", call: { id: idOf(call), trunk }, at: wallAt(row.changedAgo) });
    },
    ended(call, end) {
      calls?.ended(nameOfTold(call), end.how, time);
      const at = wallAt(end.ago);
      if (parts.hears() && at > countedUntil)
        parts.heard(endedOf(end, { id: idOf(call), trunk: call.trunk }, at));
      if (call.node === naming.node) parts.endedElsewhere?.(idOf(call));
    },
    roster(isBegin, begunAgo, count) {
      if (isBegin) roster.heardBegin(sender.node);
      else roster.heardEnd(sender.node, time - transit - Math.max(0, begunAgo), count);
    },
    ask: roster.begin,
    moved(call, hop) {
      const target = readHop(hop);
      if (target === undefined) return;
      setups?.changeSetup(nameOfTold(call), (setup) =>
        setup.outcome.kind === "forward" ? { ...setup, outcome: { ...setup.outcome, target } } : setup,
      );
    },
    left(call, by) {
      calls?.left(nameOfTold(call), by, time);
    },
  };

  function takeBatch(from: NodeRef, bytes: Uint8Array, age: Millis): void {
    sender = from;
    transit = Math.max(0, age);
    time = now();
    carrier = calls?.numberOf(from.node) ?? 0;
    figures.unread += Math.abs(readBatch(bytes, items));
  }

  return {
    memory: {
      opened(view, given) {
        calls = view;
        setups = given;
        for (const node of come.splice(0)) view.numberOf(node);
      },
      changed: (slot) => void changed.add(slot),
      left(name, by) {
        if (hasRoom()) pen.left(name, nodeOf(name), by);
      },
      decided(name, trunk, key, { fingerprint, outcome }) {
        if (outcome.kind !== "forward" && ++refusals > MOST_REFUSALS) return;
        if (hasRoom()) pen.decision(name, nodeOf(name), trunk, { key, fingerprint, outcome }, now());
      },
    },
    happened(event) {
      if (event.kind === "decided") tellAttempt(event);
      else if (event.kind === "ended") tellEnd(event);
      else if (event.kind === "moved") tellMoved(event);
    },
    flush() {
      if (calls !== undefined && early.length > 0) {
        for (const { from, bytes, age, at } of early.splice(0)) takeBatch(from, bytes, age + now() - at);
        earlyOctets = 0;
      }
      for (const slot of changed) tellRow(slot, false);
      changed.clear();
      refusals = 0;
      roster.work();
      flushPen();
    },
    batch(from, bytes, age) {
      if (calls !== undefined) takeBatch(from, bytes, age);
      else if (earlyOctets + bytes.length > MOST_EARLY) figures.noRoom++;
      else {
        early.push({ from, bytes, age, at: now() });
        earlyOctets += bytes.length;
      }
    },
    peer({ node }, what) {
      if (what === "gone") {
        roster.gone(node);
        return;
      }
      // Messages name its calls from now on.
      if (calls === undefined) come.push(node);
      else calls.numberOf(node);
      if (what === "new") roster.begunAnew(node);
      roster.begin();
      if (what === "back") pen.ask();
    },
    figures: () => ({ ...figures, elsewhere: calls?.size() ?? 0, taken: calls?.taken() ?? 0 }),
  };
}

function passes({ decision: { verdict } }: CallDecided): boolean {
  return verdict.kind !== "reject" && verdict.kind !== "drop";
}

/** The same state, of which limits by contract count nothing. */
function withoutFrequency(state: ScreeningState): ScreeningState {
  const { frequency } = state;
  return { ...state, frequency: { ...frequency, add: () => true, addPending: () => true } };
}

/** The end of a call that was told before, for a node that has not heard of it. */
function endedBefore(id: string, trunk: TrunkId, at: Millis): CallEnded {
  return { kind: "ended", call: { id, trunk }, at, by: "filter", how: "released" };
}

/** Reads `udp:192.0.2.1:5060`. */
function readHop(hop: HopId): Target | undefined {
  const colon = hop.indexOf(":");
  const transport = transports.find((name) => name === hop.slice(0, colon));
  const place = parseEndpoint(hop.slice(colon + 1));
  return transport === undefined || place === undefined ? undefined : { transport, ...place };
}
