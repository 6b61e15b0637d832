// `sigwall explain`: shows what every rule says about one call, and what decided.
import type { CallAttempt, SignallingSource } from "../domain/attempt.ts";
import type { AssertedIdentity } from "../domain/identity.ts";
import { formatNumber } from "../domain/number.ts";
import type { Millis } from "../domain/time.ts";
import type { Trunk } from "../domain/trunk.ts";
import type { Verdict } from "../domain/decision.ts";
import { formatIssue, hasErrors } from "../config/yaml/issue.ts";
import { loadStatic, type StaticConfig } from "../config/load-static.ts";
import { describeEntry } from "../policy/match-ties.ts";
import type { Policy } from "../policy/policy.ts";
import { readsLabel } from "../policy/trunk-match.ts";
import { describeSs7 } from "../config/policy/keys/ss7-schema.ts";
import { suggest } from "../config/yaml/suggestion.ts";
import { readCalledNumber, readSipNumber } from "../numbering/e164.ts";
import {
  type CallExplanation,
  explainAttempt,
  type RuleExplanation,
} from "../screening/chain/explanation.ts";
import { fillQuarantine } from "../screening/quarantine/enforced.ts";
import { createScreeningState } from "../screening/state.ts";
import { readCall } from "../judging/sip-i-attempt.ts";
import { createMessage } from "../sip/message.ts";
import { type KeptOrders, NO_ORDERS } from "./asking/kept-orders.ts";
import { asReceived } from "./pasted-message.ts";
import { scan } from "../sip/scan.ts";
import type { ReadFile } from "../config/yaml/config-files.ts";
import { loadPolicy } from "../config/load-policy.ts";
import { readListRow } from "../config/lists/list-row.ts";

/** Options of `sigwall explain`. */
export interface ExplainOptions {
  /** Path of sigwall.yaml. */
  readonly config: string;
  readonly trunk: string;
  /** Calling number as a peer writes it in From. Required without `message`. */
  readonly from: string | undefined;
  /** Called number as a peer writes it in the Request-URI. Required without `message`. */
  readonly to: string | undefined;
  /** Path of a file with one INVITE as received. */
  readonly message: string | undefined;
  readonly json: boolean;
}

/**
 * What the command may use: how files are read, where text is written, and the time of the call
 * (Unix milliseconds).
 */
export interface ExplainOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly readFile: ReadFile;
  readonly now: Millis;
  /** What was ordered by command, and what findings bind. Left out: nothing. */
  readonly ordersOf?: (config: StaticConfig) => KeptOrders;
}

const nowhere: SignallingSource = {
  signalling: "sip",
  transport: "udp",
  sourceAddress: "",
  sourcePort: 0,
  destinationAddress: "",
  destinationPort: 0,
};

/**
 * Explains one call rule by rule, by the chain that calls go through. Uses up no limit.
 * @returns exit code: 0 explained; 1 the policy or the message can't be used; 2 wrong usage
 */
export function explainCall(options: ExplainOptions, output: ExplainOutput): number {
  const { policy, config } = readPolicy(options.config, output);
  if (policy === undefined || config === undefined) return 1;
  return explainUnder(policy, options, output, output.ordersOf?.(config));
}

/**
 * Explains one call under a policy that is loaded. The exit code is that of {@link explainCall}.
 *
 * @param orders what was ordered by command, and what findings bind; nothing when left out
 */
export function explainUnder(
  policy: Policy,
  options: ExplainOptions,
  output: ExplainOutput,
  orders: KeptOrders = NO_ORDERS,
): number {
  const found = policy.trunkById(options.trunk);
  if (found === undefined) {
    const hint = suggest(
      options.trunk,
      policy.trunks.map(({ trunk }) => trunk.id),
    );
    output.stderr.write(`sigwall explain: unknown trunk "${options.trunk}"${hint}\n`);
    return 2;
  }
  if (options.message === undefined && (options.from === undefined || options.to === undefined)) {
    output.stderr.write("sigwall explain: no call to explain; give --from and --to, or --message\n");
    return 2;
  }
  const attempt =
    options.message === undefined
      ? describeCall(found.trunk, options.from ?? "", options.to ?? "", output.now)
      : readMessage(found.trunk, options.message, output);
  if (typeof attempt === "string") {
    output.stderr.write(`sigwall explain: ${attempt}\n`);
    return 1;
  }
  const state = createScreeningState({ callers: 1, recentCalls: 1, subjects: 64 });
  state.lineOrders.orders = orders.lines;
  fillQuarantine(state.quarantine, orders.quarantine, policy.detectors, attempt.at);
  const explanation = explainAttempt(found.screen, attempt, state);
  const rows = readRows(explanation, output.readFile);
  const labels = policy.matchesOf(options.trunk).filter(readsLabel).map(describeEntry);
  output.stdout.write(options.json ? formatJson(explanation, rows) : formatText(explanation, rows, labels));
  return 0;
}

/** What the list rows that decided say beside their numbers, by `file:line`. */
type ListRows = ReadonlyMap<string, readonly (readonly [column: string, value: string])[]>;

function readRows({ rules }: CallExplanation, readFile: ReadFile): ListRows {
  const rows = new Map<string, readonly (readonly [string, string])[]>();
  for (const line of rules.flatMap((rule) => rule.line?.split(", ") ?? [])) {
    const colon = line.lastIndexOf(":");
    if (colon < 0 || rows.has(line)) continue;
    const read = readFile(line.slice(0, colon));
    if ("error" in read) continue;
    const cells = readListRow(read.bytes, Number(line.slice(colon + 1)));
    if (cells.length > 0) rows.set(line, cells);
  }
  return rows;
}

function readPolicy(
  path: string,
  { stderr, readFile }: ExplainOutput,
): { readonly policy: Policy | undefined; readonly config: StaticConfig | undefined } {
  const { config, issues } = loadStatic(readFile, path);
  const loaded = config === undefined ? undefined : loadPolicy(readFile, config.policy);
  const all = [...issues, ...(loaded?.issues ?? [])];
  // Only `check` prints warnings.
  if (hasErrors(all)) for (const issue of all) stderr.write(`${formatIssue(issue)}\n`);
  return { policy: loaded?.policy, config };
}

/** Makes an attempt of two numbers and nothing else. */
function describeCall(trunk: Trunk, from: string, to: string, at: Millis): CallAttempt {
  const number = readSipNumber(from, trunk.dialPlan);
  const isHidden = number.kind === "unusable" && number.why === "token";
  const caller: AssertedIdentity = {
    source: "from",
    number,
    presentation: isHidden ? "restricted" : "allowed",
  };
  return {
    at,
    trunk,
    origin: nowhere,
    calling: [caller],
    called: readCalledNumber(to, trunk.dialPlan),
    emergencyUrn: false,
    diversion: [],
    privacy: 0,
    callId: "",
    fromTag: "",
    requestUri: to,
  };
}

/**
 * Reads the attempt of a message in a file.
 * @returns a string that says what is wrong
 */
function readMessage(trunk: Trunk, path: string, { readFile, now }: ExplainOutput): CallAttempt | string {
  const read = readFile(path);
  if ("error" in read) return `can't read ${path}: ${read.error}`;
  const message = scan(createMessage(), asReceived(Buffer.from(read.bytes)));
  if (message.kind !== "request") return `${path}: no SIP request is in it`;
  const attempt = readCall(message, trunk, now, nowhere);
  if (message.fault !== undefined) return `${path}: refused as message-malformed: ${message.fault}`;
  return attempt.undecodable === undefined
    ? attempt
    : `${path}: refused as isup-undecodable: ${attempt.undecodable}`;
}

/** Writes one JSON object per line: every rule, then the verdict. */
function formatJson({ decision, rules, changes }: CallExplanation, rows: ListRows): string {
  const { attempt, verdict, rule, revision } = decision;
  const lines: unknown[] = rules.map(({ said, ...rest }) => {
    const cells = rows.get(rest.line ?? "");
    return {
      ...rest,
      verdict: said?.kind,
      reason: said?.reason,
      ...(cells === undefined ? {} : { row: Object.fromEntries(cells) }),
    };
  });
  lines.push({
    trunk: attempt.trunk.id,
    called: formatNumber(attempt.called),
    verdict: verdict.kind,
    reason: verdict.reason,
    decidedBy: rule,
    changes,
    shadow: decision.shadow.map((hit) => hit.rule),
    revision,
  });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function formatText(
  { decision, rules, changes }: CallExplanation,
  rows: ListRows,
  labels: readonly string[],
): string {
  const { attempt, verdict, rule, revision } = decision;
  const cells = rules.length > 0 ? rules.map(toCells) : [["  calls from the core are not screened"]];
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  const table = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [
    `trunk ${attempt.trunk.id} (${attempt.trunk.side}), policy revision ${revision}`,
    ...labels.map((label) => `  messages over ${label}`),
    ...(labels.length === 0 ? [] : [`  may send ${describeSs7(attempt.trunk.ss7)}`]),
    "",
    ...table,
    "",
    ...[...rows].map(([line, row]) => `${line}: ${row.map((cell) => cell.join(" ")).join(", ")}`),
    ...(rows.size > 0 ? [""] : []),
    `verdict: ${sayVerdict(verdict)}, decided by ${rule}`,
    // All of them are needed, so they are one sentence.
    ...changes.map(
      (change, index) => `${index === 0 ? "to turn it around:" : "               and"} ${change}`,
    ),
    "",
  ].join("\n");
}

function toCells({ rule, mode, part, saw, said, line }: RuleExplanation): readonly string[] {
  const where = line === undefined ? saw : `${saw} [${line}]`;
  return [`${part === "decided" ? "▶" : " "} ${rule}`, mode, sayPart(part, said), where];
}

function sayPart(part: RuleExplanation["part"], said: Verdict | undefined): string {
  if (part === "idle") return "-";
  const words = said === undefined ? "abstains" : sayVerdict(said);
  return part === "decided" || part === "ran" ? words : `(${words})`;
}

function sayVerdict({ kind, reason }: Verdict): string {
  return `${kind} ${reason}`;
}
