import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One file of our own source. */
export interface SourceFile {
  /** From `src/` on: `sip/scan.ts`. */
  readonly path: string;
  /** The folder below `src/`, inner folders included: `proxy/requests`; empty for the entry. */
  readonly room: string;
  /** The outermost folder: `proxy`. */
  readonly storey: string;
  readonly text: string;
  /** The text without comments. */
  readonly code: string;
  readonly lines: number;
  /** What it imports, types too: relative ones as paths from `src/`, others as they are written. */
  readonly imports: readonly string[];
}

/** An import or export from somewhere: as a statement, or asked for later. */
const importPattern =
  /(?:^|\n)(?:import|export)\b[^;"]*?from "([^"]+)"|\bimport\("([^"]+)"\)|(?:^|\n)import "([^"]+)"/g;

/** Every file below `src/`. */
export const sourceFiles: readonly SourceFile[] = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .toSorted()
  .map((path) => {
    const text = readFileSync(join("src", path), "utf8");
    const code = withoutComments(text);
    const room = roomOf(path);
    return {
      path,
      room,
      storey: room.split("/", 1)[0] ?? "",
      text,
      code,
      lines: text.split("\n").length - 1,
      imports: importsOf(path, code),
    };
  });

/** The folder that a path from `src/` on stands in. */
export function roomOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

/** Paths of the files that break a rule of the house. */
export function findOffences(breaks: (file: SourceFile) => boolean): readonly string[] {
  return sourceFiles.filter(breaks).map(({ path }) => path);
}

function importsOf(path: string, code: string): readonly string[] {
  return [...code.matchAll(importPattern)].map((match) => {
    const name = match[1] ?? match[2] ?? match[3] ?? "";
    return name.startsWith(".") ? join(path, "..", name) : name;
  });
}

/** Leaves comments out, and keeps everything in strings and templates. */
function withoutComments(text: string): string {
  const pattern = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(pattern, (match) => (match.startsWith("//") || match.startsWith("/*") ? "" : match));
}
