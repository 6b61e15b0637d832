// The command line: its commands and options, each command in its own file.
import { hostname } from "node:os";
import { Argument, Command, CommanderError, Option } from "commander";
import { type LineAction, lineActions, type LineFlags } from "./line-options.ts";
import type { LineId, LineOrder } from "../domain/line-state.ts";
import type { StaticConfig } from "../config/load-static.ts";
import { version } from "./version.ts";

/** Exit code of a command line that can't be parsed. */
const usageError = 2;
const defaultConfig = "sigwall.yaml";

/**
 * Runs the command line `args` (without interpreter and script). Each command is loaded when it is
 * called: `check` opens no socket and needs no engine.
 * @returns resolves with the exit code
 */
export async function runProgram(args: readonly string[]): Promise<number> {
  let code = 0;
  const program = new Command("sigwall")
    .description(
      "SIP/SS7 signalling edge filter: judges the calling party of every call attempt before it reaches the network",
    )
    .version(version)
    .showHelpAfterError("(sigwall --help lists the commands)")
    .exitOverride();

  program
    .command("run")
    .description("runs the filter inline; SIGHUP or a changed file reloads the policy, SIGTERM stops")
    .option("--config <file>", "configuration to run", defaultConfig)
    .action(async (options: { config: string }) => {
      const { runFilter } = await import("./run.ts");
      code = await runFilter(options.config);
    });

  program
    .command("check")
    .description("validates the configuration and prints a summary")
    .option("--config <file>", "configuration to validate", defaultConfig)
    .action(async (options: { config: string }) => {
      const { checkConfig } = await import("./check.ts");
      const surroundings = { host: hostname(), environment: process.env };
      code = checkConfig(options.config, { ...streams(), now: Date.now(), ...surroundings });
    });

  program
    .command("inspect")
    .description("lists the call attempts in captures, without a policy")
    .argument("<capture...>", "pcap or pcapng files")
    .option("--json", "one JSON object per line")
    .action(async (captures: string[], options: { json?: boolean }) => {
      const { inspectCaptures } = await import("./inspect.ts");
      code = await inspectCaptures(captures, { json: options.json === true, ...streams() });
    });

  program
    .command("replay")
    .description("judges the call attempts in captures under the policy, at capture time")
    .argument("<capture...>", "pcap or pcapng files")
    .option("--config <file>", "configuration that names the policy", defaultConfig)
    .option("--trunk <id>", "judge every attempt as a call of this trunk, whatever its addresses")
    .option("--json", "one JSON object per line")
    .option("--all", "show repeats too")
    .option("--expect <file>", "exit 1 unless the output matches this file")
    .action(async (captures: string[], options: ReplayFlags) => {
      const { replayCaptures } = await import("./replay.ts");
      const { config, trunk, expect, json = false, all = false } = options;
      code = await replayCaptures(captures, { config, trunk, expect, json, all, ...streams() });
    });

  program
    .command("explain")
    .description("explains one call rule by rule: what each saw, what it said, which list line decided")
    .requiredOption("--trunk <id>", "the trunk the call comes from")
    .option("--from <number>", "calling number, as the peer writes it")
    .option("--to <number>", "called number")
    .option("--message <file>", "a whole SIP INVITE in place of --from and --to")
    .option("--config <file>", "configuration that names the policy", defaultConfig)
    .option("--json", "one JSON object per line")
    .action(async (options: ExplainFlags) => {
      const [{ explainCall }, { readFromDisk, readGivenFile }, { readKept }, { findPlace }] =
        await Promise.all([
          import("./explain.ts"),
          import("../app/read-file.ts"),
          import("../app/lines/lines-files.ts"),
          import("../config/sigwall/node-place.ts"),
        ]);
      const surroundings = { host: hostname(), environment: process.env };
      const { trunk, from, to, message, config, json = false } = options;
      const readFile: typeof readFromDisk = (path) => (path === message ? readGivenFile : readFromDisk)(path);
      const ordersOf = (of: StaticConfig): ReadonlyMap<LineId, LineOrder> =>
        readKept(findPlace(of, config, surroundings).stateFolder).orders;
      const output = { ...streams(), readFile, now: Date.now(), ordersOf };
      code = explainCall({ trunk, from, to, message, config, json }, output);
    });

  program
    .command("line")
    .description("stops, observes or opens a trunk or all trunks of a lessee by order, at once")
    .addArgument(new Argument("<action>", "what the line does from now on").choices([...lineActions]))
    .argument("<id>", "trunk:NAME or lessee:NAME, or the bare name where one alone bears it")
    .requiredOption("--order <reference>", "reference of the order")
    .requiredOption("--reason <text>", "why")
    .option("--authority <name>", "who gave the order")
    .option("--until <time>", "last day (2026-12-31) or moment (2026-12-31T18:00), in the policy's time zone")
    .addOption(
      new Option(
        "--calls <what>",
        "calls in progress: they end by themselves, or the filter ends them",
      ).choices(["keep", "release"]),
    )
    .option("--config <file>", "configuration of the filter", defaultConfig)
    .option("--json", "one JSON object")
    .action(async (action: LineAction, id: string, options: LineFlags) => {
      const { orderLine } = await import("./line.ts");
      const surroundings = { host: hostname(), environment: process.env };
      code = await orderLine({ action, id, ...options }, { ...streams(), now: Date.now, ...surroundings });
    });

  const evidence = program
    .command("evidence")
    .description("verifies the evidence of refused calls, and exports that of a call");

  evidence
    .command("verify")
    .description("verifies every log of a folder, offline and with the public key alone")
    .argument("<folder>", "folder of the evidence")
    .option(
      "--checkpoint <file...>",
      "checkpoints that were kept elsewhere: they show a log that was rolled back",
    )
    .option("--key <file>", "public key that was kept elsewhere; default: that of the folder")
    .action(async (folder: string, options: { checkpoint?: string[]; key?: string }) => {
      const { verifyEvidence } = await import("./evidence-verify.ts");
      const { checkpoint: checkpoints = [], key } = options;
      code = verifyEvidence(folder, { checkpoints, key, ...streams() });
    });

  evidence
    .command("export")
    .description("writes the evidence of calls with its proofs into a folder that stands by itself")
    .option("--call-id <id...>", "Call-IDs")
    .option("--id <id...>", "ids of calls, NODE-EPOCH-COUNT")
    .requiredOption("--out <folder>", "folder that is written")
    .option("--config <file>", "configuration that names the folder of the evidence", defaultConfig)
    .option("--folder <folder>", "folder of the evidence, in place of a configuration")
    .option("--node <node>", "the node whose log is searched; default: all of the folder")
    .option("--records <folder>", "folder of the records; default: `records` beside the evidence")
    .option("--policies <folder>", "folder of the kept policies; default: `policies` beside the evidence")
    .action(async (options: EvidenceExportFlags) => {
      const { exportEvidence } = await import("./evidence-export.ts");
      const { callId: callIds = [], id: ids = [], out, config, folder, node, records, policies } = options;
      code = await exportEvidence({
        callIds,
        ids,
        out,
        config,
        folder,
        node,
        records,
        policies,
        ...streams(),
      });
    });

  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Requested help and version end with 0. Commander has printed everything else already.
    return error.exitCode === 0 ? 0 : usageError;
  }
  return code;
}

interface EvidenceExportFlags {
  readonly callId?: string[];
  readonly id?: string[];
  readonly out: string;
  readonly config: string;
  readonly folder?: string;
  readonly node?: string;
  readonly records?: string;
  readonly policies?: string;
}

interface ReplayFlags {
  readonly config: string;
  readonly trunk?: string;
  readonly json?: boolean;
  readonly all?: boolean;
  readonly expect?: string;
}

interface ExplainFlags {
  readonly trunk: string;
  readonly from?: string;
  readonly to?: string;
  readonly message?: string;
  readonly config: string;
  readonly json?: boolean;
}

function streams(): Pick<NodeJS.Process, "stdout" | "stderr"> {
  return { stdout: process.stdout, stderr: process.stderr };
}
