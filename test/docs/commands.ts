import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { openShippedFolder } from "../support/shipped.ts";
import { writeShippedRecords } from "../support/shipped-records.ts";
import { blocks } from "./pages.ts";

/** Commands that need a running filter or the network of an operator; the tests of `cli` and `engines` cover those. */
const needsMore = ["curl ", "node scripts/place-call.mjs"];

/** Holds output against a page, where `…` stands for any part of a line, and alone in a line for any lines. */
function isAsWritten(output: readonly string[], page: readonly string[]): boolean {
  const [line, ...rest] = page;
  if (line === undefined) return output.length === 0;
  if (line === "…")
    return output.some((_, index) => isAsWritten(output.slice(index), rest)) || isAsWritten([], rest);
  const [first, ...more] = output;
  return first !== undefined && isLineAsWritten(first, line) && isAsWritten(more, rest);
}

function isLineAsWritten(line: string, written: string): boolean {
  const [start = "", ...parts] = written.split("…");
  if (parts.length === 0) return line === start;
  return line.startsWith(start) && line.endsWith(parts.at(-1) ?? "");
}

void t.test("pages: commands print what the page says", (t) => {
  const folder = openShippedFolder();
  // Beside the configuration, where its key `records` has them, and by themselves.
  writeShippedRecords(folder);
  for (const kept of ["records", "policies"])
    cpSync(join(folder, kept), join(folder, "config", kept), { recursive: true });
  t.teardown(() => rmSync(folder, { recursive: true }));
  const consoles = blocks.filter(({ kind }) => kind === "console");
  let ran = 0;
  for (const { page, line, text } of consoles) {
    const [prompt = "", ...written] = text.trimEnd().split("\n");
    t.match(prompt, /^\$ /, `${page}:${line}: begins with a command`);
    const command = prompt.slice(2);
    if (needsMore.some((start) => command.startsWith(start))) continue;
    t.match(command, /^node dist\/main\.js /, `${page}:${line}: runs the program`);
    // The tests' own compilation: the same source as dist/.
    const args = command.replace("dist/main.js", resolve("out/src/main.js")).split(" ").slice(1);
    const { stdout } = spawnSync(process.execPath, args, {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    const output = stdout.trimEnd().split("\n");
    t.ok(isAsWritten(output, written), `${page}:${line}: ${command}`, { output, written });
    ran++;
  }
  t.ok(ran >= 4, "there were some");
  t.end();
});

void t.test("pages: the comparison sees a difference", (t) => {
  t.ok(isAsWritten(["a", "b 1 c", "d"], ["a", "b … c", "d"]));
  t.ok(isAsWritten(["a", "b", "c", "d"], ["a", "…", "d"]));
  t.ok(isAsWritten(["a", "b"], ["a", "b", "…"]));
  t.notOk(isAsWritten(["a", "b"], ["a"]), "a line too many");
  t.notOk(isAsWritten(["a"], ["a", "b"]), "a line too few");
  t.notOk(isAsWritten(["a", "b 1 d"], ["a", "b … c"]), "another end");
  t.end();
});
