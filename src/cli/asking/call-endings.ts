// Says in words on a terminal what became of a call.
import type { ReadLine } from "../../records/asking/record-filter.ts";
import { endWords } from "../../records/evidence/end-words.ts";
import { plain } from "./plain-text.ts";

/**
 * Says how a call ended, in English.
 *
 * @param call its `decided` line
 * @param end its `ended` line; undefined: none was found
 */
export function sayEnd(call: ReadLine, end: ReadLine | undefined): string {
  return plain(endWords(call, end)[1]);
}
