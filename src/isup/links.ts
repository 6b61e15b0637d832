// The links of a linkset: which of them are up, and by which one a message of our own goes.
import type { Buffer } from "node:buffer";
import { eachAffected } from "../ss7/m3ua-kind.ts";

/** The place of a link in its linkset. */
export type LinkIndex = number;

/** One of the two networks that a linkset connects. Every link has one association to each. */
export type LinkSide = 0 | 1;

/** The other side. */
export function across(side: LinkSide): LinkSide {
  return side === 0 ? 1 : 0;
}

/** No link is left. */
export const NO_LINK: LinkIndex = -1;

/** Sends one M3UA message to a side by a link that is up. The bytes are valid during the call only. */
export type SendByLink = (link: LinkIndex, side: LinkSide, stream: number, bytes: Buffer) => void;

/** At most this many unavailable point codes of one link are remembered; those that came first are forgotten first. */
const MOST_UNAVAILABLE = 256;

interface LinkState {
  isUp: boolean;
  /** False from ASPIA, ASPDN or its like until traffic is seen again: the link is up and carries nothing. */
  isActive: boolean;
  /** Unavailable point codes (DUNA), as the code and the number of its low bits that stand for any value. */
  readonly unavailable: Map<string, readonly [code: number, anyBits: number]>;
}

/** The links of one linkset. */
export interface Links {
  up(link: LinkIndex): void;
  down(link: LinkIndex): void;
  /** The link carries traffic again: DATA or ASPAC was seen. */
  activate(link: LinkIndex): void;
  /** The link carries no more traffic: ASPIA, ASPDN, or an alternate ASP has taken over (RFC 4666 sections 3.7, 3.8). */
  deactivate(link: LinkIndex): void;
  /** Notes the point codes of a DUNA, or takes them back for a DAVA (RFC 4666 section 3.4). */
  note(link: LinkIndex, ssnm: Buffer, isAvailable: boolean): void;
  /** True when no link is up. */
  readonly areDown: boolean;
  /** True when a message to a point code can go by this link. */
  reaches(link: LinkIndex, code: number): boolean;
  /**
   * Chooses the link for a message of our own to a point code: the link where its call lives, while that can take it,
   * else the next one that can.
   *
   * @returns {@link NO_LINK} where none can
   */
  choose(link: LinkIndex, code: number): LinkIndex;
}

export function createLinks(): Links {
  const links: LinkState[] = [];

  function at(link: LinkIndex): LinkState {
    for (let next = links.length; next <= link; next++)
      links.push({ isUp: false, isActive: false, unavailable: new Map() });
    return links[link]!;
  }

  function reaches(link: LinkIndex, code: number): boolean {
    const state = links[link];
    if (state === undefined || !state.isUp || !state.isActive) return false;
    for (const [affected, anyBits] of state.unavailable.values())
      if (affected >>> anyBits === code >>> anyBits) return false;
    return true;
  }

  return {
    up(link) {
      const state = at(link);
      state.isUp = true;
      state.isActive = true;
      state.unavailable.clear();
    },
    down(link) {
      at(link).isUp = false;
    },
    activate(link) {
      at(link).isActive = true;
    },
    deactivate(link) {
      at(link).isActive = false;
    },
    note(link, ssnm, isAvailable) {
      const { unavailable } = at(link);
      eachAffected(ssnm, (code, anyBits) => {
        const key = `${code}/${anyBits}`;
        unavailable.delete(key);
        if (isAvailable) return;
        const [oldest] = unavailable.keys();
        if (unavailable.size >= MOST_UNAVAILABLE && oldest !== undefined) unavailable.delete(oldest);
        unavailable.set(key, [code, anyBits]);
      });
    },
    get areDown() {
      return links.every(({ isUp }) => !isUp);
    },
    reaches,
    choose(link, code) {
      for (let step = 0; step < links.length; step++) {
        const next = (link + step) % links.length;
        if (reaches(next, code)) return next;
      }
      return NO_LINK;
    },
  };
}
