// The times of a subject within a window of more than an hour, summed the more the older they are: counts are at most 2 % high.
import { classFor, NO_BLOCK, wordsOf, type TimeBlocks } from "./time-blocks.ts";
import type { BlockPlace } from "./exact-times.ts";

/**
 * An exponential histogram (Datar, Gionis, Indyk, Motwani: Maintaining stream statistics over sliding windows, 2002).
 * Groups of 1, 2, 4 … events stand in the order of their time, the oldest first, each with the time of its newest event.
 * A group counts whole until its newest event has left the window. So a count is never low, and high by less than the
 * oldest group, which is at most 1/(SAME − 1) of what is counted.
 */
const SAME = 51;
/** Levels of group sizes: 2^23 · 50 events are more than a window has. */
const LEVELS = 24;
/** Words in front of the groups: how many groups there are, and how many of each size, four to a word. */
const GROUPS = 0;
const SIZES = 1;
const FIRST = SIZES + LEVELS / 4;

/** Seconds from `time` to `now`, both modulo 2^32: a process that begins has times of before its start. */
function ageOf(now: number, time: number): number {
  return (now - time) | 0;
}

function sizeAt(words: Uint32Array, block: number, level: number): number {
  return (words[block + SIZES + (level >> 2)]! >>> ((level & 3) * 8)) & 0xff;
}

function setSize(words: Uint32Array, block: number, level: number, count: number): void {
  const at = block + SIZES + (level >> 2);
  const shift = (level & 3) * 8;
  words[at] = (words[at]! & ~(0xff << shift)) | (count << shift);
}

/**
 * Counts the events of a block that may be younger than `within`, and forgets the groups that are not.
 *
 * @param within seconds
 * @param now seconds
 */
export function countSummed(
  { words }: TimeBlocks,
  { block }: BlockPlace,
  within: number,
  now: number,
): number {
  if (block === NO_BLOCK) return 0;
  let groups = words[block + GROUPS]!;
  let gone = 0;
  let level = LEVELS - 1;
  while (gone < groups && ageOf(now, words[block + FIRST + gone]!) >= within) {
    while (sizeAt(words, block, level) === 0) level--;
    setSize(words, block, level, sizeAt(words, block, level) - 1);
    gone++;
  }
  if (gone > 0) {
    words.copyWithin(block + FIRST, block + FIRST + gone, block + FIRST + groups);
    groups -= gone;
    words[block + GROUPS] = groups;
  }
  let count = 0;
  for (let each = 0; each < LEVELS; each++) count += sizeAt(words, block, each) << each;
  return count;
}

/**
 * Adds an event.
 *
 * @param place is changed where the block grows
 * @returns false where there is no room for a larger block
 */
export function addSummed(blocks: TimeBlocks, place: BlockPlace, now: number): boolean {
  if (place.block === NO_BLOCK) {
    place.sizeClass = classFor(FIRST + 1);
    place.block = blocks.take(place.sizeClass);
    if (place.block === NO_BLOCK) return false;
  }
  const groupsThere = blocks.words[place.block + GROUPS]!;
  if (wordsOf(place.sizeClass) === FIRST + groupsThere && !growSummed(blocks, place)) return false;
  const { words } = blocks;
  const { block } = place;
  const groups = words[block + GROUPS]!;
  words[block + FIRST + groups] = now;
  words[block + GROUPS] = groups + 1;
  setSize(words, block, 0, sizeAt(words, block, 0) + 1);
  mergeOld(words, block);
  return true;
}

/** Where a size has more groups than {@link SAME}, its two oldest become one of the next size. */
function mergeOld(words: Uint32Array, block: number): void {
  /** Groups that are newer than those of the level. */
  let newer = 0;
  for (let level = 0; level < LEVELS - 1; level++) {
    const count = sizeAt(words, block, level);
    if (count <= SAME) return;
    const groups = words[block + GROUPS]!;
    const oldest = groups - newer - count;
    // The pair keeps the time of its newer event: the older one is taken out.
    words.copyWithin(block + FIRST + oldest, block + FIRST + oldest + 1, block + FIRST + groups);
    words[block + GROUPS] = groups - 1;
    setSize(words, block, level, count - 2);
    setSize(words, block, level + 1, sizeAt(words, block, level + 1) + 1);
    newer += count - 2;
  }
}

function growSummed(blocks: TimeBlocks, place: BlockPlace): boolean {
  const larger = blocks.take(place.sizeClass + 1);
  if (larger === NO_BLOCK) return false;
  blocks.words.copyWithin(larger, place.block, place.block + wordsOf(place.sizeClass));
  blocks.give(place.block, place.sizeClass);
  place.block = larger;
  place.sizeClass += 1;
  return true;
}

/**
 * The time that must leave the window before fewer than `limit` events are counted.
 *
 * @returns seconds since then, or -1 where fewer are counted
 */
export function sinceBlocking(
  { words }: TimeBlocks,
  { block }: BlockPlace,
  limit: number,
  now: number,
): number {
  if (block === NO_BLOCK) return -1;
  let left = 0;
  for (let each = 0; each < LEVELS; each++) left += sizeAt(words, block, each) << each;
  if (left < limit) return -1;
  let level = LEVELS - 1;
  let ofLevel = sizeAt(words, block, level);
  for (let group = 0; group < words[block + GROUPS]!; group++) {
    while (ofLevel === 0) ofLevel = sizeAt(words, block, --level);
    ofLevel--;
    left -= 1 << level;
    if (left < limit) return ageOf(now, words[block + FIRST + group]!);
  }
  return -1;
}

/** Calls `visit` with each group of a block, the oldest first: the time of its newest event, and its level of size. */
export function eachSummed(
  words: Uint32Array,
  block: number,
  visit: (time: number, level: number) => void,
): void {
  let level = LEVELS - 1;
  let ofLevel = sizeAt(words, block, level);
  for (let group = 0; group < words[block + GROUPS]! && level >= 0; group++) {
    while (ofLevel === 0 && level > 0) ofLevel = sizeAt(words, block, --level);
    ofLevel--;
    visit(words[block + FIRST + group]!, level);
  }
}

/**
 * Adds a group of events behind those that are there, as it was kept.
 *
 * @returns false where there is no room, or where the group stands in no order that this file writes
 */
export function addGroup(blocks: TimeBlocks, place: BlockPlace, time: number, level: number): boolean {
  if (level >= LEVELS) return false;
  if (!addSummed(blocks, place, time)) return false;
  const { words } = blocks;
  // It was added as one event: its size is what was kept.
  const single = sizeAt(words, place.block, 0);
  if (level > 0 && single > 0) {
    setSize(words, place.block, 0, single - 1);
    setSize(words, place.block, level, Math.min(SAME, sizeAt(words, place.block, level) + 1));
  }
  return true;
}
