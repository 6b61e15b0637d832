// The figures of the exchange with other nodes: who is there, what differs, what was lost or refused.

/** Another node, as it was heard last. */
export interface PeerFigure {
  readonly node: string;
  readonly epoch: number;
  readonly isUp: boolean;
  /** Empty before its first status. */
  readonly revision: string;
  readonly isReady: boolean;
  /** From its last sending to our receipt. Seconds. */
  readonly delay: number;
  /** Its wall clock less ours. Seconds. */
  readonly offset: number;
}

/** Why an entry of another node was refused. */
export type RefusalCause = "seal" | "form" | "length" | "epoch" | "time" | "name";

/** What was not told, or not heard: where it was lost. */
export interface ClusterLosses {
  /** Batches and entries that found no room, or waited too long for Redis. */
  readonly backlog: number;
  /** Batches and entries that were on their way to the thread: it was behind, or ended. */
  readonly thread: number;
  /** Batches and entries of other nodes that never came. */
  readonly gap: number;
}

/** Calls of other nodes, and what they were told of ours. */
export interface SharedCallsFigures {
  /** Calls that other nodes carry, as far as they have a row here. */
  readonly elsewhere: number;
  /** Attempts of other nodes that limits of this one count. */
  readonly counted: number;
  /** Calls that this node has taken over from another one. */
  readonly taken: number;
  /** What was not told, because a batch was full. */
  readonly untold: number;
  /** Items of other nodes that could not be read. */
  readonly unread: number;
  /** What other nodes decided, and the table of calls had no room for. */
  readonly noRoom: number;
}

/** Orders and findings of all nodes. */
export interface SharedOrdersFigures {
  /** Entries of other nodes that could not be read. */
  readonly unread: number;
  /** Changes that were not told, because this node keeps too many entries already. */
  readonly untold: number;
  /** Entries that this node keeps. */
  readonly kept: number;
}

export const noCalls: SharedCallsFigures = {
  elsewhere: 0,
  counted: 0,
  taken: 0,
  untold: 0,
  unread: 0,
  noRoom: 0,
};

export const noOrders: SharedOrdersFigures = { unread: 0, untold: 0, kept: 0 };

/** What the exchange has done since the start. Invariant: it can be cloned into another thread. */
export interface ExchangeFigures {
  /** True while Redis answers. */
  readonly isUp: boolean;
  /** Why it does not; undefined: it does, or has not been asked yet. */
  readonly why: string | undefined;
  readonly peers: readonly PeerFigure[];
  /** Distinct policies of the nodes that are up, this one included. */
  readonly revisions: number;
  /** How long they have differed. Seconds; 0: they are the same. */
  readonly differing: number;
  /** In words, in what this node lags behind the others. Undefined: it does not. */
  readonly lag: string | undefined;
  /** Octets that wait for Redis. */
  readonly backlog: number;
  readonly lost: ClusterLosses;
  readonly refused: Readonly<Record<RefusalCause, number>>;
  /** Batches and entries that were written again, since Redis had lost them. */
  readonly resent: number;
  /** Commands sent to Redis. */
  readonly commands: number;
}

/** The exchange, and what is shared through it. */
export interface ClusterFigures extends ExchangeFigures {
  readonly calls: SharedCallsFigures;
  readonly orders: SharedOrdersFigures;
}

/** The figures of an exchange that has done nothing. */
export const noFigures: ExchangeFigures = {
  isUp: false,
  why: undefined,
  peers: [],
  revisions: 1,
  differing: 0,
  lag: undefined,
  backlog: 0,
  lost: { backlog: 0, thread: 0, gap: 0 },
  refused: { seal: 0, form: 0, length: 0, epoch: 0, time: 0, name: 0 },
  resent: 0,
  commands: 0,
};
