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

/** At most this many unavailable point codes at one side of a link are remembered; those that came first are forgotten first. */
const MOST_UNAVAILABLE = 256;

/** Point codes, each with a number of low bits that stand for any value. Looked up in a time that peers can't make long. */
interface CodeSet {
  note(code: number, anyBits: number, isIn: boolean): void;
  has(code: number): boolean;
  clear(): void;
}

/** The code without its low bits, and their number: below 2 ** 29. */
function keyOf(code: number, anyBits: number): number {
  return (code >>> anyBits) * 32 + anyBits;
}

function createCodeSet(): CodeSet {
  const keys = new Set<number>();
  const masks = new Map<number, number>();
  const remove = (key: number): void => {
    if (!keys.delete(key)) return;
    const anyBits = key % 32;
    const left = (masks.get(anyBits) ?? 1) - 1;
    if (left === 0) masks.delete(anyBits);
    else masks.set(anyBits, left);
  };
  return {
    note(code, anyBits, isIn) {
      const key = keyOf(code, anyBits);
      remove(key);
      if (!isIn) return;
      const [oldest] = keys;
      if (keys.size >= MOST_UNAVAILABLE && oldest !== undefined) remove(oldest);
      keys.add(key);
      masks.set(anyBits, (masks.get(anyBits) ?? 0) + 1);
    },
    has(code) {
      for (const anyBits of masks.keys()) if (keys.has(keyOf(code, anyBits))) return true;
      return false;
    },
    clear() {
      keys.clear();
      masks.clear();
    },
  };
}

interface LinkState {
  isUp: boolean;
  /** False from ASPIA, ASPDN or its like until traffic is seen again: the link is up and carries nothing. */
  isActive: boolean;
  /** What is unavailable at each side (DUNA). */
  readonly unavailable: readonly [CodeSet, CodeSet];
}

/** The links of one linkset. */
export interface Links {
  up(link: LinkIndex): void;
  down(link: LinkIndex): void;
  /** The link carries traffic again: DATA or ASPAC was seen. */
  activate(link: LinkIndex): void;
  /** The link carries no more traffic: ASPIA, ASPDN, or an alternate ASP has taken over (RFC 4666 sections 3.7, 3.8). */
  deactivate(link: LinkIndex): void;
  /**
   * Notes the point codes of a DUNA, or takes them back for a DAVA (RFC 4666 section 3.4). They say what its sender
   * reaches: nothing about the codes of the other side.
   */
  note(link: LinkIndex, side: LinkSide, ssnm: Buffer, isAvailable: boolean): void;
  /** True when no link is up. */
  readonly areDown: boolean;
  /** True when a message to a point code at a side can go by this link. */
  reaches(link: LinkIndex, side: LinkSide, code: number): boolean;
  /**
   * Chooses the link for a message of our own to a point code: the link where its call lives, while that can take it,
   * else the next one that can.
   *
   * @returns {@link NO_LINK} where none can
   */
  choose(link: LinkIndex, side: LinkSide, code: number): LinkIndex;
}

export function createLinks(): Links {
  const links: LinkState[] = [];

  function at(link: LinkIndex): LinkState {
    for (let next = links.length; next <= link; next++)
      links.push({ isUp: false, isActive: false, unavailable: [createCodeSet(), createCodeSet()] });
    return links[link]!;
  }

  function reaches(link: LinkIndex, side: LinkSide, code: number): boolean {
    const state = links[link];
    return state !== undefined && state.isUp && state.isActive && !state.unavailable[side].has(code);
  }

  return {
    up(link) {
      const state = at(link);
      state.isUp = true;
      state.isActive = true;
      for (const codes of state.unavailable) codes.clear();
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
    note(link, side, ssnm, isAvailable) {
      const codes = at(link).unavailable[side];
      eachAffected(ssnm, (code, anyBits) => codes.note(code, anyBits, !isAvailable));
    },
    get areDown() {
      return links.every(({ isUp }) => !isUp);
    },
    reaches,
    choose(link, side, code) {
      for (let step = 0; step < links.length; step++) {
        const next = (link + step) % links.length;
        if (reaches(next, side, code)) return next;
      }
      return NO_LINK;
    },
  };
}
