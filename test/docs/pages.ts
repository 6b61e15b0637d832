import { readdirSync, readFileSync } from "node:fs";

/** One fenced block of a page. */
export interface Block {
  readonly page: string;
  /** Line of the fence, from 1. */
  readonly line: number;
  /** What stands behind the fence: `yaml policy`. */
  readonly kind: string;
  readonly text: string;
}

/** The pages that people read. */
export const pages: readonly string[] = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

export function readPage(page: string): string {
  return readFileSync(page, "utf8");
}

/** Every fenced block of every page. */
export const blocks: readonly Block[] = pages.flatMap((page) => {
  const found: Block[] = [];
  let open: { readonly line: number; readonly kind: string; readonly lines: string[] } | undefined;
  for (const [index, text] of readPage(page).split("\n").entries()) {
    if (!text.startsWith("```")) open?.lines.push(text);
    else if (open === undefined) open = { line: index + 1, kind: text.slice(3), lines: [] };
    else {
      found.push({
        page,
        line: open.line,
        kind: open.kind,
        text: open.lines.map((line) => `${line}\n`).join(""),
      });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: this block has no end`);
  return found;
});
