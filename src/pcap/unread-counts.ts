// Counts the packets of a capture that led to no message, by the reason.
import { unreadReason } from "./links/unread.ts";

/** Packets that were not read for one reason. */
export interface UnreadCount {
  /** One of `Unread`, and its value. */
  readonly kind: number;
  readonly value: number;
  readonly packets: number;
}

/** Counts unread packets, each by one reason. */
export interface UnreadCounts {
  /** Counts a packet, or takes `packets` back when negative. `code` is a reason of `unread`. */
  note(code: number, packets?: number): void;
  /** @returns every count above 0, the largest first */
  list(): readonly UnreadCount[];
}

/** At most this many reasons are counted; a packet with another one is not. */
const MAX_REASONS = 65_536;

/** Makes counts of zero. */
export function createUnreadCounts(): UnreadCounts {
  const counts = new Map<number, number>();
  return {
    note(code, packets = 1) {
      const before = counts.get(code);
      if (before !== undefined || counts.size < MAX_REASONS) counts.set(code, (before ?? 0) + packets);
    },
    list: () =>
      [...counts]
        .filter(([, packets]) => packets > 0)
        .toSorted((a, b) => b[1] - a[1] || b[0] - a[0])
        .map(([code, packets]) => ({ ...unreadReason(code), packets })),
  };
}
