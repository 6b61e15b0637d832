// The times of a subject within a window of up to an hour, each kept: counts are exact.
import { classFor, NO_BLOCK, wordsOf, type TimeBlocks } from "./time-blocks.ts";

/** A block begins with the place of its oldest time and how many it has; the times follow, as a ring. */
const HEAD = 0;
const COUNT = 1;
const FIRST = 2;

/** A block of times, as its row has it. Reused. */
export interface BlockPlace {
  block: number;
  sizeClass: number;
}

/** Milliseconds from `time` to `now`, both modulo 2^32; below 0 where `time` lies ahead. */
function age(now: number, time: number): number {
  return (now - time) | 0;
}

/**
 * Counts the times of a block that are younger than `within`, and forgets the others.
 *
 * @param now milliseconds modulo 2^32
 */
export function countExact(
  { words }: TimeBlocks,
  { block, sizeClass }: BlockPlace,
  within: number,
  now: number,
): number {
  if (block === NO_BLOCK) return 0;
  const room = wordsOf(sizeClass) - FIRST;
  let head = words[block + HEAD]!;
  let count = words[block + COUNT]!;
  while (count > 0 && age(now, words[block + FIRST + head]!) >= within) {
    head = head + 1 === room ? 0 : head + 1;
    count--;
  }
  words[block + HEAD] = head;
  words[block + COUNT] = count;
  return count;
}

/**
 * Adds a time to a block, which grows where it is full.
 *
 * @param most times that are kept; the oldest one gives way
 * @param place is changed where the block grows
 * @returns false where there is no room for a larger block
 */
export function addExact(blocks: TimeBlocks, place: BlockPlace, most: number, now: number): boolean {
  if (place.block === NO_BLOCK) {
    place.sizeClass = 0;
    place.block = blocks.take(0);
    if (place.block === NO_BLOCK) return false;
  }
  const count = blocks.words[place.block + COUNT]!;
  const room = wordsOf(place.sizeClass) - FIRST;
  if (count >= most) dropOldest(blocks, place);
  else if (count === room && !growExact(blocks, place)) return false;
  const { words } = blocks;
  const { block } = place;
  const size = wordsOf(place.sizeClass) - FIRST;
  const held = words[block + COUNT]!;
  const at = words[block + HEAD]! + held;
  words[block + FIRST + (at >= size ? at - size : at)] = now;
  words[block + COUNT] = held + 1;
  return true;
}

function dropOldest({ words }: TimeBlocks, { block, sizeClass }: BlockPlace): void {
  const room = wordsOf(sizeClass) - FIRST;
  const head = words[block + HEAD]! + 1;
  words[block + HEAD] = head === room ? 0 : head;
  words[block + COUNT]!--;
}

function growExact(blocks: TimeBlocks, place: BlockPlace): boolean {
  const count = blocks.words[place.block + COUNT]!;
  const sizeClass = classFor(count + 1 + FIRST);
  const larger = blocks.take(sizeClass);
  if (larger === NO_BLOCK) return false;
  const { words } = blocks;
  const room = wordsOf(place.sizeClass) - FIRST;
  const head = words[place.block + HEAD]!;
  for (let i = 0; i < count; i++) {
    const at = head + i;
    words[larger + FIRST + i] = words[place.block + FIRST + (at >= room ? at - room : at)]!;
  }
  words[larger + COUNT] = count;
  blocks.give(place.block, place.sizeClass);
  place.block = larger;
  place.sizeClass = sizeClass;
  return true;
}

/**
 * The time of the event that must leave the window before fewer than `limit` are in it.
 *
 * @returns its age, or -1 where fewer are in it
 */
export function ageOfBlocking(
  { words }: TimeBlocks,
  { block, sizeClass }: BlockPlace,
  limit: number,
  now: number,
): number {
  if (block === NO_BLOCK) return -1;
  const count = words[block + COUNT]!;
  if (count < limit) return -1;
  const room = wordsOf(sizeClass) - FIRST;
  const at = words[block + HEAD]! + (count - limit);
  return age(now, words[block + FIRST + (at >= room ? at - room : at)]!);
}

/** Calls `visit` with each time of a block, the oldest first. */
export function eachExact(
  words: Uint32Array,
  block: number,
  sizeClass: number,
  visit: (time: number) => void,
): void {
  const room = wordsOf(sizeClass) - FIRST;
  const head = words[block + HEAD]!;
  const count = Math.min(room, words[block + COUNT]!);
  for (let i = 0; i < count; i++) {
    const at = head + i;
    visit(words[block + FIRST + (at >= room ? at - room : at)]!);
  }
}
