// `sigwall line`: stops, observes or opens a line, by the running filter or for its next start.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { sayState } from "../domain/line-state.ts";
import type { Millis } from "../domain/time.ts";
import { formatIssue, hasErrors } from "../config/yaml/issue.ts";
import { loadPolicy } from "../config/load-policy.ts";
import { loadStatic, type StaticConfig } from "../config/load-static.ts";
import { socketPath } from "../config/sigwall/admin-schema.ts";
import { findPlace, type Surroundings } from "../config/sigwall/node-place.ts";
import type { Policy } from "../policy/policy.ts";
import { lockFile } from "../records/sealed/folder-lock.ts";
import { readLineName } from "../app/lines/line-names.ts";
import {
  type LineAnswer,
  type LineRequest,
  type LineTaken,
  readLineRequest,
} from "../app/lines/line-request.ts";
import { findLines, keepLines } from "../app/lines/lines-files.ts";
import type { OrderNote } from "../app/lines/lines-document.ts";
import { createLines } from "../app/lines/lines.ts";
import { describeFailure, readFromDisk } from "../app/read-file.ts";
import { askFilter } from "./asking/filter-socket.ts";
import { type LineAction, type LineFlags, stateOfAction } from "./line-options.ts";

/** What the command was called with. */
export interface LineOptions extends LineFlags {
  readonly action: LineAction;
  readonly id: string;
}

/** Where the command writes, the wall clock, and what surrounds the process. */
export interface LineOutput extends Surroundings {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly now: () => Millis;
}

/** Exit codes. */
const TAKEN = 0;
const REFUSED = 1;
const WRONG_USAGE = 2;

/**
 * Gives an order for a line. The running filter takes it; where none runs, it is written for the next start.
 *
 * @returns resolves with the exit code: 0 in force; 1 refused, nothing was changed; 2 wrong usage
 */
export async function orderLine(options: LineOptions, output: LineOutput): Promise<number> {
  const request = readOptions(options);
  if (typeof request === "string") return fail(output, request, WRONG_USAGE);
  const { config, issues } = loadStatic(readFromDisk, options.config);
  if (config === undefined) {
    for (const issue of issues) output.stderr.write(`${formatIssue(issue)}\n`);
    return REFUSED;
  }
  const { stateFolder } = findPlace(config, options.config, output);
  const socket = socketPath(config.adminAccess, stateFolder);
  const answered = await askFilter(socket, request);
  if (answered.kind === "failed")
    return fail(output, `the filter at ${socket} can't be asked: ${answered.why}`, REFUSED);
  if (answered.kind === "answered") return conclude(answered.answer, options, output);
  return orderForNextStart(config, stateFolder, socket, request, options, output);
}

function readOptions({
  action,
  id,
  order,
  reason,
  authority,
  until,
  calls,
}: LineOptions): LineRequest | string {
  const name = readLineName(id);
  if (name === undefined) return `"${id}" is no line; expected trunk:NAME, lessee:NAME or a bare NAME`;
  const body = Object.entries({ state: stateOfAction[action], order, reason, authority, until, calls });
  return readLineRequest(
    name.kind,
    name.name,
    Object.fromEntries(body.filter(([, value]) => value !== undefined)),
  );
}

/** Writes the order into the state folder, under its lock. */
async function orderForNextStart(
  config: StaticConfig,
  folder: string,
  socket: string,
  request: LineRequest,
  options: LineOptions,
  output: LineOutput,
): Promise<number> {
  const unusable = (why: string): number =>
    fail(
      output,
      `no filter answers at ${socket}, and the state folder ${folder} can't be used: ${why}; nothing was changed`,
      REFUSED,
    );
  let lock: ReturnType<typeof lockFile>;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    lock = lockFile(join(folder, "lock"));
  } catch (error) {
    return unusable(describeFailure(error));
  }
  if (typeof lock === "string") return unusable(`${lock} uses it`);
  try {
    const { policy, issues } = loadPolicy(readFromDisk, config.policy, undefined, config.engine);
    if (policy === undefined || hasErrors(issues)) {
      for (const issue of issues) output.stderr.write(`${formatIssue(issue)}\n`);
      return fail(output, "no filter runs, and the policy can't be read; nothing was changed", REFUSED);
    }
    const found = findLines(folder);
    if (found.trouble !== undefined) output.stderr.write(`sigwall line: ${found.trouble}\n`);
    const answer = await orderOffline(policy, folder, found, request, output.now);
    const code = conclude(answer, options, output);
    if (code === TAKEN)
      output.stderr.write(
        `sigwall line: no filter answers at ${socket}: the order is in ${join(folder, "lines.json")}, and the next start obeys it\n`,
      );
    return code;
  } finally {
    lock.release();
  }
}

/** Takes the order as the filter would. What it tells is kept, and told at the next start. */
async function orderOffline(
  policy: Policy,
  folder: string,
  found: ReturnType<typeof findLines>,
  request: LineRequest,
  now: () => Millis,
): Promise<LineAnswer> {
  const untold: OrderNote[] = [...found.untold];
  const states = new Map(found.states);
  for (const { line, state } of untold) states.set(line, state);
  const lines = createLines({
    kept: { ...found, states },
    commanded: { orders: new Map() },
    policy: () => policy,
    now,
    keep: (kept) => keepLines(folder, { ...kept, states: found.states, untold: [...untold, ...kept.untold] }),
    unkept: () => undefined,
    note: (note) => untold.push(note),
    warn: () => undefined,
    fault: () => undefined,
  });
  const answer = await lines.order(request);
  await lines.settled();
  return answer;
}

function conclude(answer: LineAnswer, { json = false }: LineOptions, output: LineOutput): number {
  if (answer.result === "refused") {
    const isUsage = answer.status === 400 || answer.status === 404;
    return fail(output, answer.message, isUsage ? WRONG_USAGE : REFUSED);
  }
  const { taken } = answer;
  output.stdout.write(json ? `${JSON.stringify(taken)}\n` : describeTaken(taken));
  for (const warning of taken.warnings) output.stderr.write(`sigwall line: warning: ${warning}\n`);
  return taken.warnings.length === 0 ? TAKEN : REFUSED;
}

/** Says what is in force now. */
function describeTaken({
  line,
  state,
  previous,
  held,
  trunks,
  released,
  gone,
  notReleasable,
}: LineTaken): string {
  const lines = [
    `${line} is ${sayState(state)} (before: ${sayState(previous)})${trunks.length === 0 ? "" : `, trunks: ${trunks.join(", ")}`}`,
  ];
  if (held !== undefined) {
    const { order, authority, reason, since, until, from, calls } = held;
    lines.push(
      ...[
        `by ${from === "command" ? "command" : from}, for ${held.line}`,
        order === undefined ? "" : `order ${order}${authority === undefined ? "" : ` of ${authority}`}`,
        reason === undefined ? "" : `reason ${reason}`,
        since === undefined ? "" : `since ${since}`,
        until === undefined ? "" : `until ${until}`,
        `calls in progress: ${calls}`,
      ]
        .filter((text) => text !== "")
        .map((text) => `  ${text}`),
    );
  }
  lines.push(`released ${released}, gone ${gone}, not releasable ${notReleasable}`);
  return `${lines.join("\n")}\n`;
}

function fail({ stderr }: LineOutput, message: string, code: number): number {
  stderr.write(`sigwall line: ${message}\n`);
  return code;
}
