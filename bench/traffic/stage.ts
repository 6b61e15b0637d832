// Where actors make their calls, one a turn, and what those calls set off: redials and calls back.
import { NONE, type Side, type TrafficCall, type TrafficSubject } from "./call.ts";
import type { Actor } from "./agenda.ts";
import { SECOND, type Profile } from "./hours.ts";
import type { Line, Lines } from "./lines.ts";
import { drawCourse, type Course, type Manner } from "./manner.ts";
import type { Numbers } from "./numbers.ts";
import { below, draw, drawSpread, type Random, type Spread } from "./random.ts";

/** Who made a call. */
export interface Label {
  readonly subject: number;
  readonly campaign: number;
}

/** The caller tries again after a call that was not answered. */
export interface Redial {
  /** Share of such calls. */
  readonly share: number;
  /** From the end of the call. Milliseconds. */
  readonly wait: Spread;
  /** At most this often in a row. */
  readonly most: number;
}

/** The called party calls back after a call that rang and was not answered. */
export interface CallBack {
  readonly share: number;
  /** From the end of the call. Milliseconds. */
  readonly wait: Spread;
  /** How the call back goes. */
  readonly manner: Manner;
}

export interface Stage {
  readonly seed: number;
  readonly scale: number;
  readonly numbers: Numbers;
  readonly lines: Lines;
  readonly profiles: Readonly<Record<string, Profile>>;
  readonly manners: Readonly<Record<string, Manner>>;
  /** All private persons. */
  readonly people: Label;
  readonly subjects: TrafficSubject[];
  /** Calls that subjects will make in the day, redials and calls back not counted. */
  readonly planned: { honest: number; abusive: number };
  /** Makes a call, the only one of this turn. */
  dial(
    now: number,
    line: Line,
    caller: number,
    called: number,
    manner: Manner,
    random: Random,
    label: Label,
    diverting?: number,
  ): TrafficCall;
  /** When a private party ends the call that keeps it busy; a time that is over when it is free, and for every other number. */
  busyUntil(number: number): number;
  /** Gives an actor turns, from `at` on. */
  later(at: number, actor: Actor): void;
  /** The call that was made since it was last taken. */
  take(): TrafficCall | undefined;
}

/** Adds a subject. */
export function enlist(
  stage: Pick<Stage, "subjects">,
  subject: Omit<TrafficSubject, "id" | "campaign">,
  campaign = NONE,
): Label {
  const id = stage.subjects.length;
  stage.subjects.push({ ...subject, id, campaign });
  return { subject: id, campaign };
}

type Parts = Omit<Stage, "dial" | "take" | "busyUntil">;

/** Share of private parties whose network signals a second call instead of answering "busy". */
const CALL_WAITING = 0.3;

export function createStage(parts: Parts): Stage {
  const { numbers } = parts;
  const course: Course = { ringing: NONE, answered: NONE, ended: 0, by: "nobody", how: "refused", status: 0 };
  /** By position: a private party has one line. */
  const busy = new Int32Array(numbers.positions);
  let made: TrafficCall | undefined;
  return {
    ...parts,
    dial(now, line, caller, called, manner, random, label, diverting = NONE) {
      if (made !== undefined) throw new Error("an actor made two calls in one turn");
      const to = numbers.positionOf(called);
      const by = numbers.positionOf(caller);
      const isBusy = to !== NONE && (busy[to] ?? 0) > now && draw(random) >= CALL_WAITING;
      const isDead = to !== NONE && !numbers.inService(to);
      drawCourse(random, manner, isDead ? "dead" : isBusy ? "busy" : "free", course);
      const end = now + course.ended;
      if (to !== NONE && course.answered !== NONE && (busy[to] ?? 0) < end) busy[to] = end;
      if (by !== NONE && (busy[by] ?? 0) < end) busy[by] = end;
      const side: Side = line.side;
      made = {
        at: now,
        trunk: line.trunk,
        lessee: line.lessee,
        side,
        hop: numbers.hopOf(called, to),
        caller,
        called,
        diverting,
        agent: line.agent,
        codecs: line.codecs,
        ringing: course.ringing,
        answered: course.answered,
        ended: course.ended,
        by: course.by,
        how: course.how,
        status: course.status,
        subject: label.subject,
        campaign: label.campaign,
      };
      return made;
    },
    busyUntil(number) {
      const position = numbers.positionOf(number);
      return position === NONE ? 0 : (busy[position] ?? 0);
    },
    take() {
      const taken = made;
      made = undefined;
      return taken;
    },
  };
}

/** The same call once more after a while, where it was not answered; and so on. */
export function redial(
  stage: Stage,
  { share, wait, most }: Redial,
  call: TrafficCall,
  line: Line,
  manner: Manner,
  random: Random,
): void {
  if (call.answered !== NONE || call.status === 404 || most <= 0 || draw(random) >= share) return;
  const { caller, called, subject, campaign } = call;
  stage.later(call.at + call.ended + drawSpread(random, wait), (now) => {
    const free = stage.busyUntil(caller);
    if (free > now) return free + SECOND;
    const again = stage.dial(now, line, caller, called, manner, random, { subject, campaign });
    redial(stage, { share, wait, most: most - 1 }, again, line, manner, random);
    return NONE;
  });
}

/** The called person calls back by her own trunk. Firms do not. */
export function callBack(
  stage: Stage,
  { share, wait, manner }: CallBack,
  call: TrafficCall,
  random: Random,
): void {
  if (call.answered !== NONE || call.ringing === NONE || draw(random) >= share) return;
  const { caller, called } = call;
  // Firms call back from their own lines, as part of what they do.
  if (stage.numbers.positionOf(called) === NONE) return;
  stage.later(call.at + call.ended + drawSpread(random, wait), (now) => {
    const free = stage.busyUntil(called);
    if (free > now) return free + SECOND;
    stage.dial(now, lineOf(stage, called, random), called, caller, manner, random, stage.people);
    return NONE;
  });
}

/** The trunk on which a call of a private number comes in: nearly always the same one. */
export function lineOf(stage: Stage, number: number, random: Random): Line {
  const { lines } = stage;
  if (draw(random) >= lines.overflow) return lines.homeOf(number);
  return lines.national[below(random, lines.national.length)] ?? lines.homeOf(number);
}

/** A private person who calls now: one whose line is free, nearly always. */
export function freeCaller(stage: Stage, now: number, choose: () => number): number {
  let position = choose();
  for (let tries = 0; tries < 8 && stage.busyUntil(stage.numbers.at(position)) > now; tries += 1)
    position = choose();
  return position;
}
