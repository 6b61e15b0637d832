// Waits until a new association proves that an expected address is its own: a peer may claim any address.
import type { Millis } from "../../domain/time.ts";
import type { Endpoint } from "../../net/address.ts";
import type { KernelSctp } from "./kernel-sctp.ts";
import { expectedAddress } from "./sctp-association.ts";

/** The kernel sends heartbeats to claimed addresses at once, and again after a time-out. */
const PATIENCE: Millis = 3000;
const LOOK_EVERY: Millis = 100;
/** At most this many associations wait. More are handed over by the address that they came from. */
const MOST = 8;

export interface PeerProof {
  /**
   * Tells whether an association waits for its proof: an address that is expected is among those
   * that it claims, and none of them is proved. Throws when the association is gone.
   */
  awaits(fd: number): boolean;
  /** Ends the associations that wait. */
  stop(): void;
}

/**
 * Makes the waiting room of a listening socket.
 * @param decided takes an association when its proof has come, or when none came in 3 seconds
 */
export function createPeerProof(
  sctp: KernelSctp,
  remotes: readonly Endpoint[],
  decided: (fd: number) => void,
): PeerProof {
  const waiting = new Map<number, NodeJS.Timeout>();

  function isUndecided(fd: number): boolean {
    const addresses = sctp.peerAddresses(fd);
    return (
      expectedAddress(addresses, remotes) === undefined &&
      addresses.some(({ address }) => remotes.some((remote) => remote.address === address))
    );
  }

  function look(fd: number, rounds: number): void {
    let isOpen = rounds > 0;
    try {
      isOpen &&= isUndecided(fd);
    } catch {
      isOpen = false;
    }
    if (isOpen) {
      waiting.set(fd, setTimeout(look, LOOK_EVERY, fd, rounds - 1));
    } else {
      waiting.delete(fd);
      decided(fd);
    }
  }

  return {
    awaits(fd) {
      if (waiting.size >= MOST || !isUndecided(fd)) return false;
      waiting.set(fd, setTimeout(look, LOOK_EVERY, fd, PATIENCE / LOOK_EVERY));
      return true;
    },
    stop() {
      for (const [fd, timer] of waiting) {
        clearTimeout(timer);
        sctp.abort(fd);
      }
      waiting.clear();
    },
  };
}
