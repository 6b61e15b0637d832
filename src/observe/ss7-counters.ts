// The counters of the M3UA relay.

/** The counters of the M3UA relay: plain numbers, read at a scrape. */
export interface Ss7Counters {
  /** Messages sent on as they came. */
  relayed: number;
  /** Malformed messages, not sent on: two readers could read them differently. */
  malformed: number;
  /** Messages of user parts that carry calls and can't be judged (TUP and others), not sent on. */
  userPart: number;
  /** Messages of a refused call, not sent on. */
  absorbed: number;
  /** SAM and other messages that follow an IAM, for an unknown call, not sent on. */
  stray: number;
  /** Messages of any kind from or to point codes and circuits that no trunk has. */
  unknownRoute: number;
  /** Messages of users of MTP3 that carry no calls and that their trunk may not send (SCCP, SI 0). */
  serviceIndicator: number;
  /** REL sent for refused calls, without repeats. */
  released: number;
  /** REL and RSC sent again because no RLC came. */
  repeated: number;
  /** Circuits that were reset because their exchange did not answer REL within T5. An operator should look at them. */
  unanswered: number;
  /** Dual seizures: IAMs of both exchanges on one circuit, one of them refused. */
  dualSeizures: number;
  /** Refusals that were forgotten: the circuit was reset, the exchange is unavailable, or the association was lost. */
  forgotten: number;
  /** Refusals that were not remembered because the table was full. */
  circuitsFull: number;
  /** Circuits with a call, and those with a refusal that waits for its end. */
  calls: number;
  refusals: number;
  /** Pairs of associations that are configured, that went up, and that went down. */
  links: number;
  linksUp: number;
  linksDown: number;
  /** Paths of SCTP associations that are down, and how often one went down. */
  pathsDown: number;
  pathsLost: number;
  /** Associations refused: from strangers, and second ones of a peer that answers on the one it has. */
  strangers: number;
  seconds: number;
  /** Messages whose payload protocol identifier was M3UA in host order, read; and of another protocol, not read. */
  hostOrder: number;
  foreign: number;
}

export function createSs7Counters(): Ss7Counters {
  return {
    relayed: 0,
    malformed: 0,
    userPart: 0,
    absorbed: 0,
    stray: 0,
    unknownRoute: 0,
    serviceIndicator: 0,
    released: 0,
    repeated: 0,
    unanswered: 0,
    dualSeizures: 0,
    forgotten: 0,
    circuitsFull: 0,
    calls: 0,
    refusals: 0,
    links: 0,
    linksUp: 0,
    linksDown: 0,
    pathsDown: 0,
    pathsLost: 0,
    strangers: 0,
    seconds: 0,
    hostOrder: 0,
    foreign: 0,
  };
}
