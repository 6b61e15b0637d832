import { readdirSync, readFileSync } from "node:fs";
import t from "tap";

/** A message of a page, and what must come of it. */
export interface Vector {
  /** Path of the page. */
  readonly page: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** The heading that the vector stands under. */
  readonly heading: string;
  /** First word behind the opening fence: which parser reads the message. */
  readonly kind: string;
  /** The other words behind the opening fence. */
  readonly options: readonly string[];
  /** Lines of the message, as written. */
  readonly lines: readonly string[];
  /** Lines of the page's `base` block; empty where the page has none. */
  readonly base: readonly string[];
  /** Values by key, as written in the `expect` block. */
  readonly expected: ReadonlyMap<string, string>;
}

/** Everything that a parser says of a message, by key, written as pages write it. `fault` is always among it. */
export type Findings = ReadonlyMap<string, string>;

/** Parses the message of a vector. */
export type Reading = (vector: Vector) => Findings;

/** A page that can't be understood. */
export class PageError extends Error {
  constructor(page: string, line: number, what: string) {
    super(`${page}:${line}: ${what}`);
  }
}

/** Refuses a vector for what its message or its options hold. */
export function refuseVector({ page, line }: Vector, what: string): never {
  throw new PageError(page, line, what);
}

interface Block {
  readonly line: number;
  readonly info: string;
  readonly lines: readonly string[];
  readonly heading: string;
}

const FENCE = "```";

/** The blocks of a page, in their order. */
function readBlocks(page: string, text: string): readonly Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let hasProse = false;
  let open: { readonly line: number; readonly info: string; readonly lines: string[] } | undefined;
  for (const [index, content] of text.split("\n").entries()) {
    const line = index + 1;
    if (open !== undefined) {
      if (content !== FENCE) {
        refuseStrange(page, line, content);
        open.lines.push(content);
        continue;
      }
      blocks.push({ ...open, heading });
      open = undefined;
    } else if (content.startsWith(FENCE)) {
      if (!hasProse) throw new PageError(page, line, "no prose between the heading and the block");
      open = { line, info: content.slice(FENCE.length).trim(), lines: [] };
    } else if (content.startsWith("#")) {
      heading = content.replace(/^#+ /, "");
      hasProse = false;
    } else hasProse ||= content.trim() !== "";
  }
  if (open !== undefined) throw new PageError(page, open.line, "the block has no end");
  return blocks;
}

/** Refuses what a reader of the page can't see: it stands as an escape. */
function refuseStrange(page: string, line: number, content: string): void {
  if (/[^\x20-\x7e]/.test(content)) throw new PageError(page, line, "an octet outside printable ASCII");
  if (content.endsWith(" ")) throw new PageError(page, line, "a space at the end of a line");
}

/** Reads an `expect` block: `key: value` lines. */
function readExpected(page: string, block: Block): ReadonlyMap<string, string> {
  const expected = new Map<string, string>();
  for (const [index, content] of block.lines.entries()) {
    const line = block.line + 1 + index;
    const colon = content.indexOf(": ");
    if (colon <= 0) throw new PageError(page, line, "not a line of the form key: value");
    const key = content.slice(0, colon);
    if (expected.has(key)) throw new PageError(page, line, `${key} stands twice`);
    expected.set(key, content.slice(colon + 2));
  }
  if (expected.size === 0) throw new PageError(page, block.line, "an empty expectation");
  return expected;
}

/**
 * The vectors of a page. A block without language is an example of the prose; `base` holds the message around the messages of
 * the page; any other block is a message, and an `expect` block follows it.
 */
export function readPage(page: string, text: string): readonly Vector[] {
  const vectors: Vector[] = [];
  let base: readonly string[] = [];
  let waiting: Block | undefined;
  for (const block of readBlocks(page, text)) {
    const [kind = "", ...options] = block.info.split(" ");
    if (kind === "expect") {
      if (waiting === undefined) throw new PageError(page, block.line, "an expectation without a message");
      const [name = "", ...words] = waiting.info.split(" ");
      const { line, heading, lines } = waiting;
      const expected = readExpected(page, block);
      vectors.push({ page, line, heading, kind: name, options: words, lines, base, expected });
      waiting = undefined;
      continue;
    }
    if (waiting !== undefined) throw new PageError(page, waiting.line, "a message without an expectation");
    if (kind === "") continue;
    if (kind !== "base") waiting = block;
    else if (options.length > 0 || base.length > 0)
      throw new PageError(page, block.line, "more than one base, or a base with options");
    else base = block.lines;
  }
  if (waiting !== undefined) throw new PageError(page, waiting.line, "a message without an expectation");
  if (vectors.length === 0) throw new PageError(page, 1, "no vector");
  return vectors;
}

/** `via[0]` of `via[0].host`; undefined where `key` belongs to no list. */
function elementOf(key: string): string | undefined {
  const close = key.indexOf("]");
  return close < 0 ? undefined : key.slice(0, close + 1);
}

/** `via[` of `via[0]`. */
function listOf(element: string): string {
  return element.slice(0, element.indexOf("[") + 1);
}

/**
 * What is wrong with the findings, in words; nothing where all is well. A vector that names no fault expects none, and an expectation
 * that names one element of a list names them all.
 */
export function findComplaints({ expected }: Vector, found: Findings): readonly string[] {
  const complaints: string[] = [];
  const keys = [...expected.keys()];
  for (const [key, value] of expected) {
    const actual = found.get(key);
    if (actual === undefined) complaints.push(`no ${key} among ${[...found.keys()].join(", ")}`);
    else if (actual !== value) complaints.push(`${key}: ${actual}, where the page says ${value}`);
  }
  const fault = found.get("fault");
  if (fault === undefined) complaints.push("the reading says nothing of faults");
  else if (fault !== "none" && !expected.has("fault")) complaints.push(`fault: ${fault}`);
  const unnamed = new Set<string>();
  for (const key of found.keys()) {
    const element = elementOf(key);
    if (element === undefined || !keys.some((each) => each.startsWith(listOf(element)))) continue;
    if (!keys.some((each) => elementOf(each) === element)) unnamed.add(element);
  }
  for (const element of unnamed) complaints.push(`${element} is not on the page`);
  return complaints;
}

/** Runs every vector of the pages in `folder`; `kinds` says who reads which block. */
export function testPages(folder: string, kinds: Readonly<Record<string, Reading>>): void {
  const pages = readdirSync(folder).filter((name) => name.endsWith(".md"));
  if (pages.length === 0) throw new Error(`no page in ${folder}`);
  const used = new Set<string>();
  for (const name of pages) {
    const page = `${folder}/${name}`;
    void t.test(page, (t) => {
      for (const vector of readPage(page, readFileSync(page, "utf8"))) {
        const read = kinds[vector.kind] ?? refuseVector(vector, `no parser is called ${vector.kind}`);
        used.add(vector.kind);
        const complaints = findComplaints(vector, read(vector));
        t.same(complaints, [], `${page}:${vector.line} ${vector.heading}`);
      }
      t.end();
    });
  }
  void t.test(`${folder}: every parser has a vector`, (t) => {
    t.same([...used].toSorted(), Object.keys(kinds).toSorted());
    t.end();
  });
}
