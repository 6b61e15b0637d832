// Lets the answers that wait for their evidence leave before the engine stops.
import { setTimeout as pause } from "node:timers/promises";
import type { Millis } from "../domain/time.ts";
import { LONGEST_HOLD } from "../judging/held-refusals.ts";
import type { Engine } from "./engine.ts";

/** Time between two looks. Milliseconds. */
const LOOK: Millis = 10;

/**
 * Takes no new calls from now on, and resolves when no answer waits for its evidence. An answer that has waited for
 * {@link LONGEST_HOLD} leaves, so that this takes no longer.
 */
export async function letAnswersLeave(
  engine: Pick<Engine, "drain" | "evidenceKept" | "heldAnswers">,
): Promise<void> {
  if (engine.heldAnswers() === 0) return;
  void engine.drain(0);
  const until = performance.now() + LONGEST_HOLD;
  let isOver = false;
  while (engine.heldAnswers() > 0 && !isOver) {
    await pause(LOOK);
    isOver = performance.now() > until;
    engine.evidenceKept();
  }
}
