// Rosters: a node tells every call that it carries, so that the others can let go of what it does not carry any more.
import { type CallSlot, NO_CALL } from "../calls/calls.ts";
import type { Millis } from "../domain/time.ts";
import type { ElsewhereView } from "../proxy/memory/shared-memory.ts";
import type { BatchPen } from "./batch-writing.ts";

/** Calls of a roster in one batch, about. */
const PIECE = 2000;
/** Pieces of the table that are searched before each batch. */
const MOST_PIECES = 4;
/** Time between two rosters that nobody has asked for: an end that was lost on the way counts no longer than that. */
const EVERY: Millis = 10 * 60_000;
/** What is told while a roster is told can be as old as this. */
const MARGIN: Millis = 1000;

export interface RosterParts {
  readonly calls: () => ElsewhereView | undefined;
  readonly pen: Pick<BatchPen, "roster">;
  /** @returns false where there was no room for the row */
  readonly tellRow: (slot: CallSlot) => boolean;
  readonly now: () => Millis;
}

export interface Roster {
  /** Tells a roster from now on, a piece with each batch. */
  readonly begin: () => void;
  /** Tells the next piece, and goes on to forget. Call it before each batch is sent. */
  readonly work: () => void;
  /** A node begins a roster, tells a row of it, or is at its end. */
  readonly heardBegin: (node: string) => void;
  readonly heardRow: (node: string) => void;
  /** @param begun when it was begun, on this node's clock; `count`: its rows */
  readonly heardEnd: (node: string, begun: Millis, count: number) => void;
  /** A node is not heard any more. */
  readonly gone: (node: string) => void;
  /** A node has come, or has begun anew: what it tells from now on is of this process. */
  readonly begunAnew: (node: string) => void;
}

/** A search through the table, a piece at a time. */
interface Search {
  readonly node: string;
  readonly before: Millis;
  readonly kind: "forget" | "gone" | "begunAnew";
  at: CallSlot;
}

export function createRoster({ calls, pen, tellRow, now }: RosterParts): Roster {
  let at: CallSlot = NO_CALL;
  let begun: Millis = 0;
  let count = 0;
  let isWhole = true;
  let last = now();
  const found: CallSlot[] = [];
  const heard = new Map<string, number>();
  const searches: Search[] = [];

  function begin(): void {
    at = 0;
    begun = now();
    last = begun;
    count = 0;
    isWhole = true;
    pen.roster(true, begun, 0);
  }

  function tellPiece(view: ElsewhereView): void {
    if (at === NO_CALL) return;
    found.length = 0;
    while (at !== NO_CALL && found.length < PIECE) at = view.carried(at, found);
    for (const slot of found) {
      if (tellRow(slot)) count++;
      else isWhole = false;
    }
    // A roster that lacks a call must not have an end: the call would be let go.
    if (at === NO_CALL && isWhole) pen.roster(false, begun, count);
  }

  function searchPiece(view: ElsewhereView, search: Search): void {
    const { kind, before, at: from } = search;
    const carrier = view.numberOf(search.node);
    search.at = kind === "gone" ? view.gone(carrier, from, now()) : view[kind](carrier, before, from, now());
    if (search.at === NO_CALL) searches.shift();
  }

  return {
    begin,
    work() {
      const view = calls();
      if (view === undefined) return;
      if (at === NO_CALL && now() - last >= EVERY) begin();
      tellPiece(view);
      for (let pieces = 0; pieces < MOST_PIECES && searches.length > 0; pieces++)
        searchPiece(view, searches[0]!);
    },
    heardBegin: (node) => void heard.set(node, 0),
    heardRow(node) {
      const before = heard.get(node);
      if (before !== undefined) heard.set(node, before + 1);
    },
    heardEnd(node, rosterBegun, rows) {
      const isComplete = heard.get(node) === rows;
      heard.delete(node);
      if (isComplete) searches.push({ node, before: rosterBegun - MARGIN, kind: "forget", at: 0 });
    },
    gone(node) {
      heard.delete(node);
      searches.push({ node, before: 0, kind: "gone", at: 0 });
    },
    begunAnew(node) {
      heard.delete(node);
      searches.push({ node, before: now(), kind: "begunAnew", at: 0 });
    },
  };
}
