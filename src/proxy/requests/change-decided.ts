// What was decided about a request inside a dialog.
import type { Action } from "../../domain/call.ts";
import type { Decision } from "../../domain/decision.ts";
import type { MessageChanges } from "../messages/message-changes.ts";

/**
 * What was decided about a request of a dialog. A request that passes is sent on. A request that does not pass has been
 * answered or dropped.
 */
export interface ChangeDecided {
  readonly passes: boolean;
  /** Undefined for repeats, and where nobody had to be judged. Then nothing is reported. */
  readonly decision?: Decision | undefined;
  /** What was done with a request that does not pass. */
  readonly action?: Action;
}

export const passes: ChangeDecided = { passes: true };
export const isAnswered: ChangeDecided = { passes: false };

/** What was judged about a request of a dialog, and what is changed in it when it passes. */
export interface ChangeJudged {
  /** Undefined where nobody had to be judged. */
  readonly decision: Decision | undefined;
  readonly changes: MessageChanges | undefined;
}
