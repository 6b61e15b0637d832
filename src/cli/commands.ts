// The command line: its commands and options, each command in its own file.
import { hostname } from "node:os";
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { type LineAction, lineActions, type LineFlags } from "./line-options.ts";
import type { KeptOrders } from "./asking/kept-orders.ts";
import { addQuarantineCommands } from "./quarantine/quarantine-options.ts";
import type { StaticConfig } from "../config/load-static.ts";
import { addOfficeCommands, collect, defaultConfig } from "./office-commands.ts";
import { version } from "./version.ts";

/** Exit code of a command line that can't be parsed. */
const usageError = 2;

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
    .argument("<capture...>", "pcap or pcapng files; - is standard input")
    .option("--json", "one JSON object per line")
    .action(async (captures: string[], options: { json?: boolean }) => {
      const { inspectCaptures } = await import("./inspect.ts");
      code = await inspectCaptures(captures, { json: options.json === true, ...streams() });
    });

  program
    .command("replay")
    .description("judges the call attempts in captures under the policy, at capture time")
    .argument("<capture...>", "pcap or pcapng files; - is standard input")
    .option("--config <file>", "configuration that names the policy", defaultConfig)
    .option("--trunk <id>", "judge every attempt as a call of this trunk, whatever its addresses")
    .option("--json", "one JSON object per line")
    .option("--all", "show repeats too")
    .option("--ends", "say too how each call ended, as far as its capture shows it")
    .option("--expect <file>", "exit 1 unless the output matches this file")
    .option("--jobs <n>", "so many captures at once (default: the cores, for large captures)", readJobs)
    .action(async (captures: string[], options: ReplayFlags) => {
      const { replayCaptures } = await import("./replay.ts");
      const { config, trunk, expect, jobs, json = false, all = false, ends = false } = options;
      code = await replayCaptures(captures, { config, trunk, expect, jobs, json, all, ends, ...streams() });
    });

  program
    .command("explain")
    .description("explains one call rule by rule: what each saw, what it said, which list line decided")
    .requiredOption("--trunk <id>", "the trunk the call comes from")
    .option("--from <number>", "calling number, as the peer writes it")
    .option("--to <number>", "called number")
    .option("--message <file>", "a whole SIP INVITE in place of --from and --to")
    .option("--config <file>", "configuration that names the policy", defaultConfig)
    .option("--at <time>", "by the policy that was in force then")
    .option("--records <dir>", "records folder, for --at; more than once for several", collect, [])
    .option("--json", "one JSON object per line")
    .action(async (options: ExplainFlags) => {
      const [{ explainCall }, { readFromDisk, readGivenFile }, readOrders] = await Promise.all([
        import("./explain.ts"),
        import("../app/read-file.ts"),
        importOrders(),
      ]);
      const { trunk, from, to, message, config, at, records, json = false } = options;
      const readFile: typeof readFromDisk = (path) => (path === message ? readGivenFile : readFromDisk)(path);
      const ordersOf = (of: StaticConfig): KeptOrders => readOrders(of, config);
      const output = { ...streams(), readFile, now: Date.now(), ordersOf };
      const asked = { trunk, from, to, message, config, json };
      if (at === undefined) code = explainCall(asked, output);
      else code = await (await import("./explain-at.ts")).explainCallAt({ ...asked, at, records }, output);
    });

  program
    .command("search")
    .description("finds record lines, the newest first: sealed and open hours together")
    .option("--caller <number>", "calling number, in any usual spelling")
    .option("--called <number>", "called number")
    .option("--call-id <id>", "Call-ID")
    .option("--id <id>", "id of a record, as reports name it; more than once for several", collect, [])
    .option("--trunk <id>", "trunk")
    .option("--lessee <id>", "lessee")
    .option("--reason <code>", "reason code")
    .option("--verdict <verdict>", "accept, reject, drop, withhold or label")
    .option("--rule <rule>", "the rule that decided")
    .option("--shadow <rule>", "rule or reason of a finding in monitor mode")
    .option("--from <time>", "first time; without an offset in the time zone of the policy")
    .option("--to <time>", "last time, inclusive: a day or a minute is meant as a whole")
    .option("--limit <n>", "most lines (100)")
    .option(
      "--record <kind>",
      "kind of lines (decided and request; with --id moved and ended too); more than once for several",
      collect,
      [],
    )
    .option("--numbers", "the calling numbers that were used, and how often")
    .option("--case <ref>", "what the search is for; it is recorded")
    .option("--config <file>", "configuration that names the records folder")
    .option("--records <dir>", "records folder; more than once for several", collect, [])
    .option("--json", "one JSON object per line")
    .option("--csv", "CSV for spreadsheets")
    .action(async (options: SearchFlags) => {
      const [{ searchRecords }, { readFromDisk }] = await Promise.all([
        import("./search.ts"),
        import("../app/read-file.ts"),
      ]);
      const { json = false, csv = false, numbers = false, record: kinds, id: ids, ...rest } = options;
      const output = { ...streams(), readFile: readFromDisk, now: Date.now() };
      code = await searchRecords({ config: undefined, ...rest, ids, kinds, json, csv, numbers }, output);
    });

  program
    .command("why")
    .description(
      "says what was decided on a call, by what, what it would be now, and what became of the call",
    )
    .argument(
      "[call-id]",
      "every call with this Call-ID, on whatever node; or the id of a record, NODE-EPOCH-COUNT",
    )
    .option("--caller <number>", "calling number, with --at, in place of a Call-ID")
    .option("--at <time>", "about when; without an offset in the time zone of the policy")
    .option("--case <ref>", "what the question is for; it is recorded")
    .option("--config <file>", "configuration that names the records folder and the policy of today")
    .option("--records <dir>", "records folder; more than once for several", collect, [])
    .option("--json", "one JSON object per line")
    .action(async (callId: string | undefined, options: WhyFlags) => {
      const [{ whyCall }, { readFromDisk }, ordersOf] = await Promise.all([
        import("./why.ts"),
        import("../app/read-file.ts"),
        importOrders(),
      ]);
      const { json = false, ...rest } = options;
      const output = { ...streams(), readFile: readFromDisk, now: Date.now(), ordersOf };
      code = await whyCall({ config: undefined, ...rest, callId, json }, output);
    });

  program
    .command("seal")
    .description("turns closed hours of records into Parquet, which takes a fraction of the room")
    .option("--config <file>", "configuration that names the records folder")
    .option("--records <dir>", "records folder; more than once for several", collect, [])
    .action(async ({ config, records }: { config?: string; records: readonly string[] }) => {
      const [{ sealRecords }, { readFromDisk }] = await Promise.all([
        import("./seal.ts"),
        import("../app/read-file.ts"),
      ]);
      code = await sealRecords(
        { config, records },
        { ...streams(), readFile: readFromDisk, now: Date.now() },
      );
    });

  addOfficeCommands(program, streams, (ended) => (code = ended));

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

  addQuarantineCommands(program, defaultConfig, (exit) => (code = exit));

  program
    .command("status")
    .description(
      "shows what the running filter is doing: trunks, lines, limits that are nearly used up, what needs a look",
    )
    .option("--config <file>", "configuration of the filter", defaultConfig)
    .option("--json", "one JSON object")
    .action(async (options: { config: string; json?: boolean }) => {
      const { showStatus } = await import("./status.ts");
      const surroundings = { host: hostname(), environment: process.env };
      code = await showStatus(options, { ...streams(), now: Date.now, ...surroundings });
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
    .option("--config <file>", `configuration that names the folders (${defaultConfig})`)
    .option("--folder <folder>", "folder of the evidence; then no configuration is needed")
    .option("--node <node>", "the node whose log is searched; default: all of the folder")
    .option(
      "--records <folder>",
      "records folder; default: that of the configuration, or `records` beside the evidence; more than once for several",
      collect,
      [],
    )
    .option("--policies <folder>", "folder of the kept policies; default: as for the records")
    .option("--case <ref>", "what the export is for; it is recorded")
    .action(async ({ callId: callIds = [], id: ids = [], ...options }: EvidenceExportFlags) => {
      const { exportEvidence } = await import("./evidence-export.ts");
      code = await exportEvidence({ callIds, ids, ...options }, { ...streams(), now: Date.now() });
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
  readonly config?: string;
  readonly folder?: string;
  readonly node?: string;
  readonly records: readonly string[];
  readonly policies?: string;
  readonly case?: string;
}

/** Reads the number of captures at once. */
function readJobs(text: string): number {
  const jobs = /^\d+$/u.test(text) ? Number(text) : 0;
  if (jobs < 1) throw new InvalidArgumentError("It must be a whole number from 1 on.");
  return jobs;
}

interface ReplayFlags {
  readonly config: string;
  readonly trunk?: string;
  readonly json?: boolean;
  readonly all?: boolean;
  readonly ends?: boolean;
  readonly expect?: string;
  readonly jobs?: number;
}

interface ExplainFlags {
  readonly trunk: string;
  readonly from?: string;
  readonly to?: string;
  readonly message?: string;
  readonly config: string;
  readonly at?: string;
  readonly records: readonly string[];
  readonly json?: boolean;
}

interface SearchFlags {
  readonly caller?: string;
  readonly called?: string;
  readonly callId?: string;
  readonly id: readonly string[];
  readonly trunk?: string;
  readonly lessee?: string;
  readonly reason?: string;
  readonly verdict?: string;
  readonly rule?: string;
  readonly shadow?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit?: string;
  readonly record: readonly string[];
  readonly numbers?: boolean;
  readonly case?: string;
  readonly config?: string;
  readonly records: readonly string[];
  readonly json?: boolean;
  readonly csv?: boolean;
}

interface WhyFlags {
  readonly caller?: string;
  readonly at?: string;
  readonly case?: string;
  readonly config?: string;
  readonly records: readonly string[];
  readonly json?: boolean;
}

/** Imports what reads the orders by command of a state folder. */
async function importOrders(): Promise<(config: StaticConfig, path: string) => KeptOrders> {
  const { readKeptOrders } = await import("./asking/kept-orders.ts");
  return (config, path) => readKeptOrders(config, path, Date.now());
}

function streams(): Pick<NodeJS.Process, "stdout" | "stderr"> {
  return { stdout: process.stdout, stderr: process.stderr };
}
