// Who may connect as a peer: strangers are refused, and a living association never gives way to another one.
import type { AssociationConfig } from "../../config/sigwall/m3ua-schema.ts";
import type { Millis } from "../../domain/time.ts";
import type { Ss7Counters } from "../../observe/ss7-counters.ts";
import type { AssociationEnds, PendingAssociation } from "../../wire/sctp/association.ts";
import { createRareLog } from "./rare-log.ts";

export interface NewcomersParts {
  readonly config: AssociationConfig;
  readonly counters: Ss7Counters;
  readonly now: () => Millis;
  readonly noted: (message: string) => void;
}

/** The door of one side of a link. */
export interface Newcomers {
  /** Tells whether an association comes from the peer: an address of `remote`, and its port where one is set. */
  isExpected(peer: PendingAssociation): boolean;
  /** Refuses a stranger. */
  refuse(peer: PendingAssociation): void;
  /**
   * Lets a newcomer wait while the association that is there is asked for a sign of life. Calls `succeed` when that one
   * is dead; refuses the newcomer when it lives, and when another newcomer waits already.
   */
  wait(peer: PendingAssociation, former: Pick<AssociationEnds, "testLife">, succeed: () => void): void;
  /** Says that associations could not be taken. */
  readonly failed: (error: Error) => void;
  /** Refuses the newcomer that waits. */
  stop(): void;
}

export function createNewcomers({ config, counters, now, noted }: NewcomersParts): Newcomers {
  const { id, remote, remotes } = config;
  const log = createRareLog(now, noted);
  let waiting: PendingAssociation | undefined;

  function turnAway(peer: PendingAssociation): void {
    peer.refuse();
    counters.seconds++;
    log(
      `${id}: refused a second association from ${peer.address} port ${peer.port}: the peer answers on the one it has`,
      "second",
    );
  }

  return {
    isExpected: ({ address, port }) =>
      remotes.some((known) => known.address === address) && (remote.port === 0 || port === remote.port),
    refuse(peer) {
      peer.refuse();
      counters.strangers++;
      log(`${id}: refused an association from ${peer.address} port ${peer.port}`, "stranger");
    },
    wait(peer, former, succeed) {
      if (waiting !== undefined) {
        turnAway(peer);
        return;
      }
      waiting = peer;
      former.testLife((isAlive) => {
        if (waiting !== peer) return;
        waiting = undefined;
        if (isAlive) turnAway(peer);
        else succeed();
      });
    },
    failed: ({ message }) => log(`${id}: ${message}`, "failed"),
    stop() {
      waiting?.refuse();
      waiting = undefined;
    },
  };
}
