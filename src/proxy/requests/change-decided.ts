// What was decided about a request inside a dialog.
import type { Action } from "../../domain/call.ts";
import type { Decision } from "../../domain/decision.ts";

/** What was decided about a request of a dialog: a request that passes is sent on, another has been answered. */
export interface ChangeDecided {
  readonly passes: boolean;
  /** Undefined where nobody had to be judged, and for repeats: then nothing is told. */
  readonly decision?: Decision | undefined;
  /** What was done with one that does not pass. */
  readonly action?: Action;
}

export const passes: ChangeDecided = { passes: true };
export const isAnswered: ChangeDecided = { passes: false };
