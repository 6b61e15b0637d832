// `sigwall quarantine list`: what the running filter has in quarantine, or what the next start will have.
import { formatIssue } from "../../config/yaml/issue.ts";
import { loadStatic } from "../../config/load-static.ts";
import { socketPath } from "../../config/sigwall/admin-schema.ts";
import { findPlace } from "../../config/sigwall/node-place.ts";
import { readFromDisk } from "../../app/read-file.ts";
import { askSocket } from "../asking/filter-socket.ts";
import type { QuarantineFlags, QuarantineOutput } from "./quarantine-flags.ts";
import { layOutRows, readRows } from "./quarantine-rows.ts";

const DONE = 0;
const FAILED = 1;
/** No filter runs. */
const NOT_RUNNING = 3;
/** Longest wait for the list. Milliseconds. */
const MOST_WAIT = 30_000;
const MOST_ANSWER = 128 * 2 ** 20;

/** @returns resolves with the exit code: 0; 1 it can't be asked; 3 no filter runs */
export async function listQuarantine(
  { config: path, json }: QuarantineFlags,
  output: QuarantineOutput,
): Promise<number> {
  const { config, issues } = loadStatic(readFromDisk, path);
  if (config === undefined) {
    for (const issue of issues) output.stderr.write(`${formatIssue(issue)}\n`);
    return FAILED;
  }
  const socket = socketPath(config.adminAccess, findPlace(config, path, output).stateFolder);
  const asked = await askSocket(socket, {
    method: "GET",
    path: "/api/quarantine",
    mostWait: MOST_WAIT,
    mostAnswer: MOST_ANSWER,
  });
  if (asked.kind === "silent") {
    output.stderr.write(`no filter runs: nobody serves ${socket}\n`);
    return NOT_RUNNING;
  }
  const rows = asked.kind === "answered" && asked.status === 200 ? rowsIn(asked.text) : undefined;
  if (rows === undefined) {
    const why = asked.kind === "failed" ? asked.why : `status ${asked.status}`;
    output.stderr.write(`the filter at ${socket} can't be asked: ${why}\n`);
    return FAILED;
  }
  if (json === true) output.stdout.write(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  else output.stdout.write(rows.length === 0 ? "nothing is in quarantine\n" : layOutRows(rows));
  return DONE;
}

function rowsIn(text: string): ReturnType<typeof readRows> {
  try {
    return readRows(JSON.parse(text), "rows");
  } catch {
    return undefined;
  }
}
