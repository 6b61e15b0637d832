// How a call goes: who answers, how long the caller lets it ring, how long they talk, who ends it.
import { NONE } from "./call.ts";
import { draw, drawSpread, type Random, type Spread } from "./random.ts";

export interface Manner {
  /** Share of calls whose called party would answer, given the time. */
  readonly answer: number;
  /** Share of calls that meet a busy party (486). */
  readonly busy: number;
  /** Share of calls that meet a telephone that is off or out of reach (480). */
  readonly away: number;
  /** Ringing until the called party answers. Milliseconds. */
  readonly pickUp: Spread;
  /** Ringing until the caller gives up. Milliseconds. */
  readonly patience: Spread;
  /** From the answer to the end. Milliseconds. */
  readonly talk: Spread;
  /** Share of answered calls that the caller ends. */
  readonly callerEnds: number;
}

export interface Course {
  ringing: number;
  answered: number;
  ended: number;
  by: "caller" | "called" | "nobody";
  how: "cancelled" | "refused" | "released" | "timed-out";
  status: number;
}

/** Set-up until the first ringing, or until a refusal: networks take some hundred milliseconds to some seconds. */
const setUp: Spread = { median: 900, sigma: 0.5 };
/** Networks end calls that ring for longer (ITU-T E.131 and Q.118: T9 between 1 and 3 minutes). */
const LONGEST_RINGING = 90_000;
const LONGEST_TALK = 4 * 3_600_000;
/** Share of called parties that press the red button among those that don't answer. */
const DECLINED = 0.12;

function refuse(course: Course, after: number, status: number, by: "called" | "nobody"): void {
  course.ringing = NONE;
  course.answered = NONE;
  course.ended = after;
  course.by = by;
  course.how = "refused";
  course.status = status;
}

/** What the called number is at the time of the call. */
export type Called = "free" | "busy" | "dead";

/** Draws the course of a call into `course`. */
export function drawCourse(random: Random, manner: Manner, called: Called, course: Course): void {
  const start = Math.round(drawSpread(random, setUp));
  if (called === "dead") return refuse(course, start, 404, "nobody");
  if (called === "busy") return refuse(course, start, 486, "called");
  const fate = draw(random);
  if (fate < manner.busy) return refuse(course, start, 486, "called");
  if (fate < manner.busy + manner.away) return refuse(course, start, 480, "nobody");
  const patience = Math.round(drawSpread(random, manner.patience));
  const pickUp = Math.round(drawSpread(random, manner.pickUp));
  course.ringing = start;
  course.answered = NONE;
  if (draw(random) < manner.answer) {
    if (pickUp < patience && pickUp < LONGEST_RINGING) {
      course.answered = start + pickUp;
      const talk = Math.round(drawSpread(random, manner.talk));
      course.ended = course.answered + (talk < LONGEST_TALK ? talk : LONGEST_TALK);
      course.by = draw(random) < manner.callerEnds ? "caller" : "called";
      course.how = "released";
      course.status = 200;
      return undefined;
    }
  } else if (pickUp < patience && draw(random) < DECLINED) {
    course.ended = start + pickUp;
    course.by = "called";
    course.how = "refused";
    course.status = 603;
    return undefined;
  }
  const isOver = patience >= LONGEST_RINGING;
  course.ended = start + (isOver ? LONGEST_RINGING : patience);
  course.by = isOver ? "nobody" : "caller";
  course.how = isOver ? "timed-out" : "cancelled";
  course.status = isOver ? 408 : 487;
  return undefined;
}
