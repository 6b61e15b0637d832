// The id of a call: NODE-EPOCH-COUNT, as record lines, logs and the commands have it.
import type { CallName } from "./calls.ts";

const WORD = 2 ** 32;

/** Moves `name` on to the next one. When 32 bits of counts are used up, they begin anew under the next epoch. */
export function nextName(name: { epoch: number; count: number }): void {
  if (name.count === WORD - 1) {
    name.epoch = (name.epoch + 1) % WORD;
    name.count = 0;
  }
  name.count++;
}

/** EPOCH in base 36, COUNT in decimal: ids of one process sort by length and then by text. */
export function formatCallId(node: string, name: CallName): string {
  return `${formatIdPrefix(node, name.epoch)}${name.count}`;
}

/** The part of an id that all calls of one process share. */
export function formatIdPrefix(node: string, epoch: number): string {
  return `${node}-${epoch.toString(36)}-`;
}

/** An id in its parts. */
export interface ParsedCallId {
  readonly node: string;
  readonly name: CallName;
}

/**
 * Reads an id that {@link formatCallId} has written. The name of a node may hold hyphens; the last two parts are
 * numbers.
 *
 * @returns undefined for anything else: other digits, leading zeros, capitals, numbers above 32 bits
 */
export function parseCallId(text: string): ParsedCallId | undefined {
  const beforeCount = text.lastIndexOf("-");
  const beforeEpoch = beforeCount > 0 ? text.lastIndexOf("-", beforeCount - 1) : -1;
  if (beforeEpoch < 1) return undefined;
  const epoch = readNumber(text.slice(beforeEpoch + 1, beforeCount), 36);
  const count = readNumber(text.slice(beforeCount + 1), 10);
  if (epoch === undefined || count === undefined) return undefined;
  return { node: text.slice(0, beforeEpoch), name: { epoch, count } };
}

/** A number below 2^32 in its one usual form. */
function readNumber(digits: string, radix: number): number | undefined {
  const value = parseInt(digits, radix);
  return value >= 0 && value < WORD && value.toString(radix) === digits ? value : undefined;
}
