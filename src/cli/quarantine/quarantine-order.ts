// `sigwall quarantine add` and `release`: an order to the running filter.
import { formatIssue } from "../../config/yaml/issue.ts";
import { loadStatic } from "../../config/load-static.ts";
import { socketPath } from "../../config/sigwall/admin-schema.ts";
import { findPlace } from "../../config/sigwall/node-place.ts";
import { readFromDisk } from "../../app/read-file.ts";
import { type QuarantineRow, readQuarantineRequest } from "../../app/quarantine/quarantine-request.ts";
import { askSocket } from "../asking/filter-socket.ts";
import { layOutRows, readRows } from "./quarantine-rows.ts";
import type { QuarantineFlags, QuarantineOutput } from "./quarantine-flags.ts";

/** The body of an order. */
type OrderBody = Readonly<Record<"order" | "reason", string>> &
  Readonly<Partial<Record<"subject" | "id" | "for", string>>>;

const TAKEN = 0;
const REFUSED = 1;
const WRONG_USAGE = 2;
/** Longest wait for the answer. Milliseconds. */
const MOST_WAIT = 60_000;
const MOST_ANSWER = 2 ** 24;

/**
 * Gives an order. Without a running filter nothing is changed.
 *
 * @returns resolves with the exit code: 0 in force; 1 refused, or no filter runs; 2 wrong usage
 */
export async function orderQuarantine(
  body: OrderBody,
  { config: path, json }: QuarantineFlags,
  output: QuarantineOutput,
): Promise<number> {
  const fail = (code: number, message: string): number => {
    output.stderr.write(`sigwall quarantine: ${message}\n`);
    return code;
  };
  const request = readQuarantineRequest(body);
  if (typeof request === "string") return fail(WRONG_USAGE, request);
  const { config, issues } = loadStatic(readFromDisk, path);
  if (config === undefined) {
    for (const issue of issues) output.stderr.write(`${formatIssue(issue)}\n`);
    return REFUSED;
  }
  const socket = socketPath(config.adminAccess, findPlace(config, path, output).stateFolder);
  const asked = await askSocket(socket, {
    method: "POST",
    path: "/api/quarantine",
    body: JSON.stringify(body),
    mostWait: MOST_WAIT,
    mostAnswer: MOST_ANSWER,
  });
  if (asked.kind === "silent")
    return fail(REFUSED, `no filter runs: nobody serves ${socket}; nothing was changed`);
  if (asked.kind === "failed") return fail(REFUSED, `the filter at ${socket} can't be asked: ${asked.why}`);
  const answer = readAnswer(asked.text);
  if (asked.status !== 200 || answer === undefined)
    return fail(asked.status === 400 ? WRONG_USAGE : REFUSED, errorOf(asked.text));
  output.stdout.write(json === true ? `${JSON.stringify(answer)}\n` : layOutRows(answer.taken));
  for (const warning of answer.warnings) fail(0, `warning: ${warning}`);
  return answer.warnings.length === 0 ? TAKEN : REFUSED;
}

interface Taken {
  readonly taken: readonly QuarantineRow[];
  readonly warnings: readonly string[];
}

function readAnswer(text: string): Taken | undefined {
  const value = parse(text);
  const taken = readRows(value, "taken");
  if (taken === undefined || typeof value !== "object" || value === null || !("warnings" in value))
    return undefined;
  const { warnings } = value;
  return { taken, warnings: Array.isArray(warnings) ? warnings.map(String) : [] };
}

function errorOf(text: string): string {
  const value = parse(text);
  return typeof value === "object" && value !== null && "error" in value
    ? String(value.error)
    : text.slice(0, 200).trim();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
