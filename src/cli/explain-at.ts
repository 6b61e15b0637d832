// `sigwall explain --at`: explains one call under the policy that was in force at a moment.
import type { ReadFile } from "../config/yaml/config-files.ts";
import { findPolicyAt } from "./asking/policy-at.ts";
import { type ExplainOptions, type ExplainOutput, explainUnder } from "./explain.ts";

/** Options of `sigwall explain --at`. */
export interface ExplainAtOptions extends ExplainOptions {
  /** Moment of the call, as on the command line. */
  readonly at: string;
  /** Records folders; empty: the one of the configuration. */
  readonly records: readonly string[];
}

/**
 * Explains one call rule by rule, by a policy that was in force. List dates count as they did then.
 *
 * @returns resolves with the exit code: that of `explain`, and 1 where no policy of that moment is kept
 */
export async function explainCallAt(options: ExplainAtOptions, output: ExplainOutput): Promise<number> {
  const { config, records, message, json } = options;
  const { stdout, stderr, readFile, now } = output;
  const found = await findPolicyAt({ config, records }, options.at, readFile, now);
  if ("fault" in found) {
    stderr.write(`sigwall explain: ${found.fault}\n`);
    return found.code;
  }
  const { recalled, at, since } = found;
  if (recalled.warning !== undefined) stderr.write(`sigwall explain: ${recalled.warning}\n`);
  if (!json) stdout.write(`at ${at.text}, policy in force since ${since}\n`);
  const readThen: ReadFile = (path) => (path === message ? readFile(path) : recalled.readFile(path));
  return explainUnder(recalled.policy, options, { ...output, readFile: readThen, now: at.moment });
}
