// The counters of the M3UA relay.

/** What the M3UA relay counts: plain numbers, read when metrics are asked for. */
export interface Ss7Counters {
  /** Messages sent on as they came. */
  relayed: number;
  /** Messages that no reader can read alike, not sent on. */
  malformed: number;
  /** Messages of user parts that carry calls and can't be judged (TUP and others), not sent on. */
  userPart: number;
  /** Messages of a refused call, not sent on. */
  absorbed: number;
  /** More digits, or a message that follows an IAM, for a call that is not known, not sent on. */
  stray: number;
  /** IAMs from point codes that no trunk has. */
  unknownRoute: number;
  /** REL sent for refused calls, without repeats. */
  released: number;
  /** REL and RSC sent again because no RLC came. */
  repeated: number;
  /** Circuits whose exchange did not answer REL for the whole of T5: reset, and somebody should look. */
  unanswered: number;
  /** IAMs of both exchanges that met on one circuit, one of them refused. */
  dualSeizures: number;
  /** Refusals that are forgotten: a circuit reset, an exchange unavailable, an association lost. */
  forgotten: number;
  /** Refusals that found no room to be remembered. */
  circuitsFull: number;
  /** Circuits with a call, and those with a refusal that waits for its end. */
  calls: number;
  refusals: number;
  /** Pairs of associations that went up, and that went down. */
  linksUp: number;
  linksDown: number;
}

export function createSs7Counters(): Ss7Counters {
  return {
    relayed: 0,
    malformed: 0,
    userPart: 0,
    absorbed: 0,
    stray: 0,
    unknownRoute: 0,
    released: 0,
    repeated: 0,
    unanswered: 0,
    dualSeizures: 0,
    forgotten: 0,
    circuitsFull: 0,
    calls: 0,
    refusals: 0,
    linksUp: 0,
    linksDown: 0,
  };
}
