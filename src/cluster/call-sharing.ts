// Calls of several nodes: each tells the others what it lets go on and what becomes of it, and counts theirs as its own.
import type { CallName, CallSlot } from "../calls/calls.ts";
import { parseCallId, formatCallId, formatIdPrefix } from "../calls/call-id.ts";
import { NO_CALL } from "../calls/calls.ts";
import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import type { CallDecided, CallEnded, CallEvent, CallNaming, CallRef } from "../domain/call.ts";
import type { AssertedIdentity } from "../domain/identity.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import type { Mutable } from "../domain/mutable.ts";
import { noCalls, type SharedCallsFigures } from "../observe/cluster/cluster-figures.ts";
import type { Policy } from "../policy/policy.ts";
import type { CallSetup } from "../proxy/memory/call-setup.ts";
import type { ElsewhereView, SharedMemory, TakeDecision } from "../proxy/memory/shared-memory.ts";
import { makesEmergencyParty } from "../screening/emergency-parties.ts";
import type { ScreeningState } from "../screening/state.ts";
import { AttemptFlag } from "./batch-layout.ts";
import {
  type BatchItems,
  type NamedCall,
  readBatch,
  type ToldAttempt,
  type ToldEnd,
} from "./batch-reading.ts";
import { createBatchPen } from "./batch-writing.ts";
import type { NodeRef } from "./exchange.ts";

/** Refusals whose repeats other nodes are told of, at most, in one batch: a flood of refused calls must not crowd it. */
const MOST_REFUSALS = 200;
/** Calls of a roster in one batch. */
const ROSTER_PIECE = 2000;
/** Batches that are kept until there is a memory of calls. */
const MOST_EARLY = 4096;
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
  const figures: Mutable<SharedCallsFigures> = { ...noCalls };
  let calls: ElsewhereView | undefined;
  /** What was heard before there was a memory of calls. */
  const early: EarlyBatch[] = [];
  let takeDecision: TakeDecision | undefined;
  /** Calls whose state has changed since the last batch, and how: 1 changed, 2 taken over. */
  const changed = new Map<CallSlot, number>();
  let refusals = 0;
  /** Where the roster of this node's calls goes on; {@link NO_CALL}: nobody asks for it. */
  let rosterAt: CallSlot = NO_CALL;
  const roster: CallSlot[] = [];
  /** Where the search for calls of a node that is gone goes on. */
  const leaving = new Map<string, CallSlot>();

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
    if (named === undefined || !hasRoom()) figures.untold++;
    else pen.ended(named.name, named.node, event, event.at - state.wall.ahead);
  }

  function tellRow(slot: CallSlot, isTaken: boolean): void {
    if (calls === undefined || !hasRoom()) return;
    const view = calls;
    const name = view.nameAt(slot);
    pen.row(name, nodeOf(name), view.trunkOf(slot), isTaken, (out, at) => view.pack(slot, out, at));
  }

  function tellRoster(): void {
    if (calls === undefined || rosterAt === NO_CALL) return;
    roster.length = 0;
    while (rosterAt !== NO_CALL && roster.length < ROSTER_PIECE) rosterAt = calls.carried(rosterAt, roster);
    for (const slot of roster) tellRow(slot, false);
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
      if ((told.flags & AttemptFlag.paid) !== 0) {
        const isKnown = attempt.at <= countedUntil;
        source.screen.count(attempt, isKnown ? withoutFrequency(state) : state);
        figures.counted++;
      }
      if (parts.hears() || makesEmergencyParty(attempt))
        parts.heard(decidedOf(told.flags, attempt, { id: idOf(call), trunk: call.trunk }));
    },
    decision(call, { bytes, start, end, fingerprint, outcome }) {
      if (takeDecision === undefined || carrier <= 0) return;
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
      if (!takeDecision(nameOfTold(call), carrier, key, setupOf, time)) figures.noRoom++;
    },
    row(call, row, isTaken) {
      if (calls === undefined || carrier <= 0) return;
      const { trunk } = call;
      const begun = calls.take({ name: nameOfTold(call), trunk, carrier, isTaken, row }, time);
      if (begun === "answered" && parts.hears())
        parts.heard({ kind: "answered", call: { id: idOf(call), trunk }, at: wallAt(row.changedAgo) });
    },
    ended(call, end) {
      calls?.ended(nameOfTold(call), time);
      if (parts.hears()) parts.heard(endedOf(end, { id: idOf(call), trunk: call.trunk }, wallAt(end.ago)));
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
      opened(view, take) {
        calls = view;
        takeDecision = take;
      },
      changed(slot, isTaken) {
        if (isTaken) figures.taken++;
        if (isTaken || !changed.has(slot)) changed.set(slot, isTaken ? 2 : 1);
      },
      decided(name, trunk, key, setup) {
        if (setup.outcome.kind !== "forward" && ++refusals > MOST_REFUSALS) return;
        if (hasRoom()) pen.decision(name, nodeOf(name), trunk, { ...setup, key }, now());
      },
    },
    happened(event) {
      if (event.kind === "decided") tellAttempt(event);
      else if (event.kind === "ended") tellEnd(event);
    },
    flush() {
      if (calls !== undefined)
        for (const { from, bytes, age, at } of early.splice(0)) takeBatch(from, bytes, age + now() - at);
      for (const [slot, how] of changed) tellRow(slot, how === 2);
      changed.clear();
      refusals = 0;
      tellRoster();
      flushPen();
      if (calls === undefined) return;
      for (const [node, from] of leaving) {
        const next = calls.gone(calls.numberOf(node), from, now());
        if (next === NO_CALL) leaving.delete(node);
        else leaving.set(node, next);
      }
    },
    batch(from, bytes, age) {
      if (calls !== undefined) takeBatch(from, bytes, age);
      else if (early.length < MOST_EARLY) early.push({ from, bytes, age, at: now() });
      else figures.noRoom++;
    },
    peer({ node }, what) {
      if (what === "gone") leaving.set(node, 0);
      else {
        leaving.delete(node);
        rosterAt = 0;
      }
    },
    figures: () => ({ ...figures, elsewhere: calls?.size() ?? 0 }),
  };
}

function passes({ decision: { verdict } }: CallDecided): boolean {
  return verdict.kind !== "reject" && verdict.kind !== "drop";
}

const nowhere = {
  transport: "udp",
  sourceAddress: "",
  sourcePort: 0,
  destinationAddress: "",
  destinationPort: 0,
} as const;

const sipOrigin: SignallingSource = { ...nowhere, signalling: "sip" };
const isupOrigin: SignallingSource = { ...nowhere, signalling: "isup" };

const diverting: AssertedIdentity = {
  source: "diversion",
  number: { kind: "unusable", why: "invalid", detail: "not told", raw: "" },
  presentation: "allowed",
};

const noDiversion: readonly AssertedIdentity[] = [];

function attemptOf(told: ToldAttempt, trunk: Trunk, at: Millis): CallAttempt {
  return {
    at,
    trunk,
    origin: (told.flags & AttemptFlag.isup) === 0 ? sipOrigin : isupOrigin,
    calling: told.calling,
    called: told.called,
    emergencyUrn: (told.flags & AttemptFlag.emergencyUrn) !== 0,
    diversion: told.diverting === 0 ? noDiversion : [diverting],
    privacy: 0,
    callId: told.callId,
    fromTag: told.fromTag,
    requestUri: "",
  };
}

const noMarks: CallDecided["decision"]["marks"] = [];
const noShadow: CallDecided["decision"]["shadow"] = [];
const accepted = { kind: "accept", reason: "default" } as const;
const forwarded = { kind: "forwarded", hop: "" } as const;
const notForwarded = { kind: "answered", status: 0 } as const;

function decidedOf(flags: number, attempt: CallAttempt, call: CallRef): CallDecided {
  const isForwarded = (flags & AttemptFlag.forwarded) !== 0;
  return {
    kind: "decided",
    call,
    at: attempt.at,
    decision: {
      attempt,
      verdict: accepted,
      rule: makesEmergencyParty(attempt) ? "emergency" : "default",
      marks: noMarks,
      shadow: noShadow,
      revision: "",
    },
    action: isForwarded ? forwarded : notForwarded,
  };
}

function endedOf(end: ToldEnd, call: CallRef, at: Millis): CallEnded {
  const { by, how, status, cause, ringingMs, answeredMs, talkedMs } = end;
  const ended: Mutable<CallEnded> = { kind: "ended", call, at, by, how };
  if (status !== 0) ended.status = status;
  if (cause !== undefined) ended.cause = cause;
  if (ringingMs !== undefined) ended.ringingMs = ringingMs;
  if (answeredMs !== undefined) ended.answeredMs = answeredMs;
  if (talkedMs !== undefined) ended.talkedMs = talkedMs;
  return ended;
}

/** The same state, of which limits by contract count nothing. */
function withoutFrequency(state: ScreeningState): ScreeningState {
  const { frequency } = state;
  return { ...state, frequency: { ...frequency, add: () => true, addPending: () => true } };
}
