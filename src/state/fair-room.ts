// Bounded room in which the owner that has most gives something up when there is too little.
import { NEXT_HOP, STRANGER } from "../domain/trunk.ts";

/** How much an owner may have beside a trunk before it counts as the greediest. */
const NEXT_HOP_WEIGHT = 8;
const STRANGER_WEIGHT = 1 / 8;

/** Items of one owner, and the size of each. The first came first. */
export type Items<Item> = ReadonlyMap<Item, number>;

/**
 * Room that owners share by max-min fairness: one alone may use all of it, and under want of room the owner with most
 * gives up items first. Owners are trunks, {@link NEXT_HOP}, which may have eight times as much, and {@link STRANGER},
 * which may have an eighth.
 */
export interface FairRoom<Item> {
  /**
   * Makes room for `size` more of `owner`: items of greedier owners are given up.
   * @returns false when the owner itself has most
   */
  makeRoom(owner: string, size: number): boolean;
  /** Changes what an item holds; without anything left it leaves. Whoever has most gives up items until all fit. */
  hold(item: Item, owner: string, by: number): void;
  move(item: Item, owner: string): void;
  leave(item: Item): void;
}

/** What a {@link FairRoom} is made of. */
export interface FairRoomParts<Item> {
  readonly most: number;
  /** Chooses which item of the greediest owner goes. There is at least one. */
  readonly choose: (items: Items<Item>) => Item | undefined;
  /** Ends an item, which has left the room already. */
  readonly giveUp: (item: Item) => void;
}

/** Returns the item that holds most. */
export function largestOf<Item>(items: Items<Item>): Item | undefined {
  let largest: Item | undefined;
  let most = -1;
  for (const [item, size] of items) {
    if (size <= most) continue;
    most = size;
    largest = item;
  }
  return largest;
}

/** Returns the item that came first. */
export function firstOf<Item>(items: Items<Item>): Item | undefined {
  for (const item of items.keys()) return item;
  return undefined;
}

interface Owner<Item> {
  readonly weight: number;
  readonly items: Map<Item, number>;
  sum: number;
}

export function createFairRoom<Item>({ most, choose, giveUp }: FairRoomParts<Item>): FairRoom<Item> {
  const owners = new Map<string, Owner<Item>>();
  const ownerOf = new Map<Item, string>();
  let used = 0;

  const fits = (size: number): boolean => used + size <= most;

  const obtain = (name: string): Owner<Item> => {
    let owner = owners.get(name);
    if (owner === undefined) owners.set(name, (owner = { weight: weightOf(name), items: new Map(), sum: 0 }));
    return owner;
  };

  const greediest = (): Owner<Item> | undefined => {
    let found: Owner<Item> | undefined;
    for (const owner of owners.values())
      if (found === undefined || owner.sum / owner.weight > found.sum / found.weight) found = owner;
    return found;
  };

  const change = (item: Item, name: string, by: number): void => {
    const owner = obtain(name);
    const size = (owner.items.get(item) ?? 0) + by;
    used += by;
    owner.sum += by;
    if (size > 0) {
      owner.items.set(item, size);
      if (size === by) ownerOf.set(item, name);
      return;
    }
    owner.items.delete(item);
    ownerOf.delete(item);
    if (owner.items.size === 0) owners.delete(name);
  };

  const sizeOf = (item: Item): number => owners.get(ownerOf.get(item) ?? "")?.items.get(item) ?? 0;

  const leave = (item: Item): void => {
    const name = ownerOf.get(item);
    if (name !== undefined) change(item, name, -sizeOf(item));
  };

  const take = ({ items }: Owner<Item>): boolean => {
    const item = choose(items);
    if (item === undefined) return false;
    leave(item);
    giveUp(item);
    return true;
  };

  return {
    makeRoom(name, size) {
      if (size > most) return false;
      const weight = weightOf(name);
      while (!fits(size)) {
        const owner = greediest();
        const own = ((owners.get(name)?.sum ?? 0) + size) / weight;
        if (owner === undefined || own > owner.sum / owner.weight || !take(owner)) return false;
      }
      return true;
    },
    hold(item, name, by) {
      // What was given up has nothing left to give back.
      const known = ownerOf.get(item);
      if (by === 0 || (known === undefined && by < 0)) return;
      change(item, known ?? name, by);
      while (!fits(0)) {
        const owner = greediest();
        if (owner === undefined || !take(owner)) return;
      }
    },
    move(item, name) {
      const known = ownerOf.get(item);
      if (known === undefined || known === name) return;
      const size = sizeOf(item);
      change(item, known, -size);
      change(item, name, size);
    },
    leave,
  };
}

function weightOf(owner: string): number {
  if (owner === NEXT_HOP) return NEXT_HOP_WEIGHT;
  return owner === STRANGER ? STRANGER_WEIGHT : 1;
}
