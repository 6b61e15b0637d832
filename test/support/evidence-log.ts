import type { EvidenceWait } from "../../src/judging/held-refusals.ts";

/** A log of evidence whose disk the test plays. */
export interface TestEvidence extends EvidenceWait {
  /** Tickets that were given. */
  given: number;
  /** What the next ticket is, when it is no new one: 0 or Infinity. */
  next: number | undefined;
  /** Everything that was given is on disk. */
  keepAll(): void;
}

/** @param trunks the trunks whose answers wait */
export function createTestEvidence(...trunks: readonly string[]): TestEvidence {
  let kept = 0;
  const log: TestEvidence = {
    given: 0,
    next: undefined,
    holds: ({ id }) => trunks.includes(id),
    ticket: () => log.next ?? ++log.given,
    kept: () => kept,
    keepAll() {
      kept = log.given;
    },
  };
  return log;
}
