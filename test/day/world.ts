// The simulated day: parties, network, filter and naive count together, compared after every message.
import { createRandom, type Random } from "../fuzz/random.ts";
import { createFilter, longestHours, place, type Filter, type Sent } from "./filter.ts";
import { branchOf, field, isResponse, methodOf, statusOf, tagOf, writeAnswer } from "./messages.ts";
import {
  createNaiveCount,
  SLACK,
  type Done,
  type NaiveCall,
  type NaiveCount,
  type Said,
} from "./naive-count.ts";
import { createParties, type Parties } from "./parties.ts";
import type { Plan } from "./plans.ts";
import { createTimeline, type Timeline } from "./timeline.ts";
import { createToldCalls, type ToldCalls } from "./told-calls.ts";

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
const TICK = 100;
/** How long the filter holds channels of calls that say nothing behind a restart. */
const UNCONFIRMED_FOR = 30 * MINUTE;
/** A call that is begun a second time ends when its own set-up does. */
const DOUBLED_FOR = 32 * SECOND + SLACK;

/** A simulated call, and what the naive count makes of it. */
export interface SimulatedCall {
  readonly plan: Plan;
  readonly parties: Parties;
  readonly naive: NaiveCall;
  /** It passed without a row: the table was full. */
  isRowless: boolean;
  /** Times at which the filter began it anew. */
  readonly doubledAt: number[];
  wasForwarded: boolean;
}

/** The difference behind one kill. */
export interface Kill {
  readonly at: number;
  /** Calls whose messages came behind the snapshot. */
  readonly lost: number;
  readonly restored: number;
  /** Greatest difference of a trunk: too many, and too few. */
  over: number;
  under: number;
  /** When the filter last had too many, in milliseconds behind the kill. */
  overFor: number;
  underFor: number;
}

export interface World {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly filter: Filter;
  readonly naive: NaiveCount;
  readonly told: ToldCalls;
  readonly calls: readonly SimulatedCall[];
  readonly kills: readonly Kill[];
  readonly figures: { toFilter: number; fromFilter: number; lost: number; compared: number };
  readonly faults: unknown[];
  /** Where the two counts differed by more than they may. At most a few are kept. */
  readonly differences: string[];
  place(plan: Plan): SimulatedCall;
  /** A place says nothing from now on, or speaks again. */
  setSilent(at: string, isSilent: boolean): void;
  /** Kill -9, `afterSnapshot` milliseconds behind the last snapshot; a new process follows. */
  kill(afterSnapshot: number, downFor: number): void;
}

export function createWorld(seed: number, start: number, rows: number): World {
  const timeline = createTimeline(start);
  const random = createRandom(seed);
  const told = createToldCalls();
  const faults: unknown[] = [];
  const filter = createFilter(
    rows,
    (event) => {
      told.take(event);
      if (event.kind !== "decided" || event.action.kind !== "forwarded") return;
      const call = byCallId.get(event.decision.attempt.callId);
      if (call === undefined) return;
      if (call.wasForwarded) {
        call.doubledAt.push(timeline.now);
        doubled.push(call);
      }
      call.wasForwarded = true;
    },
    (error) => faults.push(error),
  );
  const naive = createNaiveCount(timeline, (trunk) => longestHours(trunk) * HOUR);
  const byCallId = new Map<string, SimulatedCall>();
  const calls: SimulatedCall[] = [];
  const silent = new Set<string>();
  const kills: Kill[] = [];
  let lost: NaiveCall[] = [];
  let doubled: SimulatedCall[] = [];
  const differences: string[] = [];
  const figures = { toFilter: 0, fromFilter: 0, lost: 0, compared: 0 };

  const isLost = (at: string): boolean => {
    if (at.startsWith("tcp") || !random.once(100)) return false;
    figures.lost++;
    return true;
  };

  const compare = (trunk: string, what: () => string): void => {
    figures.compared++;
    const count = naive.trunks.get(trunk);
    if (count === undefined) return;
    const found = filter.channels(trunk);
    const kill = kills.at(-1);
    const since = kill === undefined ? Infinity : timeline.now - kill.at;
    let mayLack = 0;
    let mayExceed = count.fuzzy;
    for (const call of lost) {
      if (call.trunk !== trunk) continue;
      if (call.isHeld) mayLack++;
      // A BYE of a fork was lost, and another dialog has confirmed the call: it stands until its session or longest time is over.
      else if (since <= UNCONFIRMED_FOR + SLACK || call.known.size > 1) mayExceed++;
    }
    for (const {
      naive: { trunk: of },
      doubledAt,
    } of doubled)
      if (of === trunk && timeline.now <= (doubledAt.at(-1) ?? 0) + DOUBLED_FOR) mayExceed++;
    if (kill !== undefined && found !== count.held) {
      const over = found - count.held - count.fuzzy;
      if (over > 0) {
        kill.over = Math.max(kill.over, over);
        kill.overFor = since;
      } else if (found < count.held) {
        kill.under = Math.max(kill.under, count.held - found);
        kill.underFor = since;
      }
    }
    if (found >= count.held - mayLack && found <= count.held + mayExceed && found >= 0) return;
    if (differences.length < 20)
      differences.push(
        `${((timeline.now - start) / 1000).toFixed(1)} s, ${trunk}: ${found} channels, expected ${count.held} (-${mayLack}, +${mayExceed}): ${what()}`,
      );
  };

  /** What was sent for a call, as the naive count sees it. */
  const doneFor = (call: SimulatedCall, sent: readonly Sent[]): Done => {
    const invitesTo: string[] = [];
    const toCaller: number[] = [];
    for (const { to, text } of sent) {
      if (methodOf(text) !== "INVITE" || field(text, "Call-ID") !== call.parties.callId) continue;
      if (!isResponse(text)) {
        if (tagOf(field(text, "To")) === "") invitesTo.push(to);
      } else if (branchOf(text).startsWith("z9hG4bKi")) toCaller.push(statusOf(text));
    }
    return { invitesTo, toCaller };
  };

  const deliver = ({ to, text }: Sent): void => {
    figures.fromFilter++;
    if (text.startsWith("OPTIONS ")) {
      if (!silent.has(to) && !to.startsWith("tcp"))
        timeline.after(10, () => receive(undefined, to, writeAnswer(text, 200, "o"), { what: "other" }));
      return;
    }
    const call = byCallId.get(field(text, "Call-ID"));
    if (to === place.nowhere) {
      timeline.after(2000, () => {
        if (filter.isRunning) takeOwn(filter.undelivered(timeline.now, { to, text }));
      });
      return;
    }
    if (call === undefined || isLost(to)) return;
    if (silent.has(to) && call.plan.firstHop !== "late") return;
    timeline.after(2 + random.below(30), () => call.parties.hear(to, text));
  };

  const receive = (call: SimulatedCall | undefined, from: string, text: string, said: Said): void => {
    if (!filter.isRunning) return;
    figures.toFilter++;
    const { ledgerFull } = filter.counters;
    const sent = filter.receive(timeline.now, from, text);
    if (call !== undefined) {
      const done = doneFor(call, sent);
      if (filter.counters.ledgerFull > ledgerFull && done.invitesTo.length > 0) call.isRowless = true;
      if (!call.isRowless) naive.note(call.naive, said, done);
      compare(
        call.naive.trunk,
        () => `${call.parties.callId}, ${call.plan.kind}, behind ${JSON.stringify(said)}`,
      );
    }
    for (const each of sent) deliver(each);
  };

  /** What the filter sent because time passed, or for a message that reached nobody. */
  const takeOwn = (sent: readonly Sent[]): void => {
    for (const each of sent) {
      const call = each.text.startsWith("OPTIONS ") ? undefined : byCallId.get(field(each.text, "Call-ID"));
      if (call !== undefined && !call.isRowless) naive.noteOwn(call.naive, doneFor(call, [each]));
    }
    for (const each of sent) deliver(each);
  };

  const tick = (): void => {
    if (filter.isRunning) {
      takeOwn(filter.tick(timeline.now));
      if ((timeline.now - start) % SECOND === 0)
        for (const trunk of naive.trunks.keys()) compare(trunk, () => "at a tick");
    }
    timeline.after(TICK, tick);
  };
  timeline.after(TICK, tick);

  return {
    timeline,
    random,
    filter,
    naive,
    told,
    calls,
    kills,
    figures,
    faults,
    differences,
    place(plan) {
      const around = {
        after: (millis: number, step: () => void): void => timeline.after(millis, step),
        send(from: string, text: string, said: Said): void {
          if (isLost(from) || (silent.has(from) && plan.firstHop !== "late")) return;
          timeline.after(2 + random.below(30), () => receive(call, from, text, said));
        },
      };
      const parties = createParties(plan, calls.length + 1, around);
      const opened = naive.open(plan.trunk);
      const call: SimulatedCall = {
        plan,
        parties,
        naive: opened,
        isRowless: false,
        doubledAt: [],
        wasForwarded: false,
      };
      calls.push(call);
      byCallId.set(parties.callId, call);
      parties.begin();
      return call;
    },
    setSilent(at, isSilent) {
      if (isSilent) silent.add(at);
      else silent.delete(at);
    },
    kill(afterSnapshot, downFor) {
      filter.save();
      naive.saved();
      timeline.after(afterSnapshot, () => {
        filter.kill();
        timeline.after(downFor, () => {
          const restored = filter.start(timeline.now);
          const of = naive.restart();
          lost = [...lost.filter((call) => call.isHeld || call.known.size > 1), ...of];
          doubled = doubled.filter(({ doubledAt }) => (doubledAt.at(-1) ?? 0) + DOUBLED_FOR > timeline.now);
          kills.push({
            at: timeline.now,
            lost: of.length,
            restored,
            over: 0,
            under: 0,
            overFor: 0,
            underFor: 0,
          });
          for (const trunk of naive.trunks.keys()) compare(trunk, () => "behind a restart");
        });
      });
    },
  };
}
