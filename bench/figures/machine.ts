/** What a run was made on, and of what: the head of the page of results. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";

/** The machine, its programs and the build that was measured, in words. */
export interface Machine {
  /** The day of the run: YYYY-MM-DD. */
  readonly date: string;
  /** The newest section of CHANGELOG.md, for example `0.3.0`. */
  readonly release: string;
  /** The revision of the sources, with `+` when files were changed since. */
  readonly revision: string;
  readonly hardware: string;
  readonly programs: string;
  /** Processes that were running or waiting for a core when the run began, mean of a minute. */
  readonly load: string;
}

/** Describes this machine and the sources below `root`. */
export function describeMachine(root: string): Machine {
  const changes = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const revision = firstLineOf("git", ["-C", root, "rev-parse", "--short", "HEAD"]);
  const changed = firstLineOf("git", ["-C", root, "status", "--porcelain", "--", "src"]);
  return {
    date: new Date().toISOString().slice(0, 10),
    release: /^## (\S+)/mu.exec(changes)?.[1] ?? "unknown",
    revision: `${revision}${changed === "" ? "" : "+"}`,
    hardware: `${availableParallelism()} cores (${modelOf()}), ${Math.round(totalmem() / 2 ** 30)} GB, ${type()} ${release()}`,
    programs: [
      `Node ${process.versions.node}`,
      firstLineOf("sipp", ["-v"]).replace(/\.$/u, ""),
      firstLineOf("kamailio", ["-v"]).replace("version: ", ""),
    ]
      .filter((text) => text !== "")
      .join(", "),
    load: (loadavg()[0] ?? 0).toFixed(1),
  };
}

function modelOf(): string {
  return (
    cpus()[0]
      ?.model.replaceAll(/\((?:R|TM)\)/gu, "")
      .trim() ?? "unknown"
  );
}

/** The first line that a program prints; empty when the program is missing. */
function firstLineOf(program: string, words: readonly string[]): string {
  const { stdout } = spawnSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return firstLine(stdout ?? "");
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0]?.trim() ?? "";
}
