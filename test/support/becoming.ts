// Asks a running filter until its admin address answers as expected: a filter notices within a second or two.
import type { Filter } from "../cli/filter-process.ts";
import { PATIENCE } from "./until.ts";

/** @returns the last answer: its status, a space, and its text */
export async function becomes(filter: Filter, path: string, expected: RegExp): Promise<string> {
  let text = "";
  for (const end = Date.now() + PATIENCE; Date.now() < end && !expected.test(text);) {
    const answer = await fetch(new URL(path, filter.admin));
    text = `${answer.status} ${await answer.text()}`;
  }
  return text;
}
