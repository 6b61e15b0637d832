// The commands of those who answer for lists, changes and reports: import, diff, rehearse, audit, report.
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Dimension, dimensions } from "../reports/month-report.ts";
import type { ImportOptions } from "./intake/import.ts";

/** Where commands write. */
interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** Where the configuration is looked for. */
export const defaultConfig = "sigwall.yaml";

/** @param done takes the exit code of a command */
export function addOfficeCommands(
  program: Command,
  streams: () => Streams,
  done: (code: number) => void,
): void {
  program
    .command("import")
    .description("turns what a spreadsheet exports (CSV of any usual form, .xlsx) into a clean list")
    .argument("<file>", "CSV, text or .xlsx; - is standard input")
    .option("--sheet <name>", "sheet of a workbook; default: the first one with something in it")
    .option("--lessee <id>", "compares with the list of this lessee")
    .option("--list <name>", "compares with this list of the policy")
    .option("--add", "the rows come behind those that are in force")
    .option("--replace", "numbers, or figures of a month, that are there already may go")
    .addOption(
      new Option("--kind <kind>", "a list of numbers, or the figures of a month for the report")
        .choices(["list", "monthly"])
        .default("list"),
    )
    .option("--out <file>", "file that is written; default: standard output")
    .option("--config <file>", "configuration that names the policy", defaultConfig)
    .action(async (file: string, options: Omit<ImportOptions, "file">) => {
      const { importFile } = await import("./intake/import.ts");
      done(await importFile({ file, ...options }, streams()));
    });

  program
    .command("diff")
    .description("says what differs between two policies: numbers, trunks, modes, rules")
    .argument("<old>", "sigwall.yaml, policy.yaml, or the revision of a policy that was in force")
    .argument("<new>", "the same")
    .option("--config <file>", "configuration that names the records folder, for a revision")
    .option("--records <dir>", "records folder, for a revision; more than once for several", collect, [])
    .option("--json", "one JSON object per line")
    .action(async (before: string, after: string, { config, records, json = false }: DiffFlags) => {
      const [{ diffPolicies }, { readFromDisk }] = await Promise.all([
        import("./change/diff.ts"),
        import("../app/read-file.ts"),
      ]);
      done(diffPolicies({ before, after, config, records, json }, { ...streams(), readFile: readFromDisk }));
    });

  program
    .command("rehearse")
    .description(
      "judges recorded attempts, or those of captures, by a new policy, and says which verdicts would be others",
    )
    .argument("[captures...]", "pcap or pcapng, - is standard input; default: the records")
    .requiredOption("--config <file>", "configuration that is to come")
    .option(
      "--against <old>",
      "with captures: sigwall.yaml, policy.yaml or the revision to compare with; default: the policy in force last",
    )
    .option("--trunk <id>", "with captures: judges every call as a call of this trunk")
    .option("--records <dir>", "records folder; more than once for several", collect, [])
    .option("--since <time>", "of records: from when on", "24h")
    .option("--until <time>", "of records: until when; default: now")
    .option(
      "--counts",
      "of records: runs limits, detectors and quarantine too, as if no call had been before",
    )
    .option("--max-changes <n>", "exit code 1 when more verdicts change", readCount)
    .option(
      "--most <n>",
      "ways in which verdicts change that are told; default: all with --json, else 50",
      readCount,
    )
    .option("--json", "one JSON object")
    .action(async (captures: readonly string[], flags: RehearseFlags) => {
      const { until, maxChanges, against, trunk, counts = false, json = false, ...options } = flags;
      const { readFromDisk } = await import("../app/read-file.ts");
      const output = { ...streams(), readFile: readFromDisk };
      if (captures.length > 0) {
        const { rehearseCaptures } = await import("./change/rehearse-captures.ts");
        done(await rehearseCaptures(captures, { ...options, maxChanges, against, trunk, json }, output));
        return;
      }
      if (against !== undefined || trunk !== undefined)
        program.error("error: --against and --trunk go with captures", { exitCode: 2 });
      const { rehearse } = await import("./change/rehearse.ts");
      const asked = { ...options, until, maxChanges, counts, json };
      done(await rehearse(asked, { ...output, now: Date.now() }));
    });

  program
    .command("audit")
    .description(
      "finds listed numbers and special users that need a look: overdue, expired, unused, too many",
    )
    .option("--config <file>", "configuration that names the policy", defaultConfig)
    .option("--records <dir>", "records folder; more than once for several", collect, [])
    .option("--days <n>", "a number that has not called for so many days is unused", readPositive, 90)
    .option("--soon <n>", "a row that ends within so many days is about to expire", readCount, 30)
    .option(
      "--verified-within <n>",
      "a row that was verified longer ago than so many days is overdue; default: verifiedWithinDays of the policy",
      readPositive,
    )
    .option("--lessee <id>", "this lessee only; default: all")
    .option("--json", "one JSON object per line")
    .action(async ({ lessee, json = false, ...options }: AuditFlags) => {
      const [{ audit }, { readFromDisk }] = await Promise.all([
        import("./change/audit.ts"),
        import("../app/read-file.ts"),
      ]);
      const output = { ...streams(), readFile: readFromDisk, now: Date.now() };
      done(await audit({ ...options, lessee, json }, output));
    });

  program
    .command("report")
    .description("prints the monthly report: the five heads of the notices, and what stands below them")
    .requiredOption("--month <month>", "2026-11")
    .option(
      "--by <dimension>",
      `gathers by ${dimensions.join(", ")}; more than once; default: all`,
      collectBy,
      [],
    )
    .addOption(
      new Option("--format <format>", "a page that prints, CSV for spreadsheets, or JSON")
        .choices(["html", "csv", "json"])
        .default("html"),
    )
    .addOption(new Option("--lang <language>", "default: that of LANG").choices(["zh", "en"]))
    .option(
      "--monthly <file>",
      "figures from import --kind monthly; default: monthly/*.csv beside the configuration",
      collect,
      [],
    )
    .option("--unit <name>", "who reports (填报单位); it stands at the top")
    .option("--made-at <time>", "when the report is made; left out: the report does not say it")
    .option("--config <file>", "configuration that names the records folder")
    .option("--records <dir>", "records folder; more than once for several nodes", collect, [])
    .action(async ({ lang, ...options }: ReportFlags) => {
      const [{ reportMonth }, { readFromDisk }, { whoAsks }] = await Promise.all([
        import("./reporting/report.ts"),
        import("../app/read-file.ts"),
        import("./asking/access-note.ts"),
      ]);
      const language = lang ?? ((process.env["LANG"] ?? "").startsWith("zh") ? "zh" : "en");
      done(
        await reportMonth(
          { config: undefined, ...options, language },
          { ...streams(), readFile: readFromDisk, now: Date.now(), access: whoAsks() },
        ),
      );
    });
}

interface DiffFlags {
  readonly config?: string;
  readonly records: readonly string[];
  readonly json?: boolean;
}

interface RehearseFlags {
  readonly config: string;
  readonly records: readonly string[];
  readonly since: string;
  readonly until?: string;
  readonly against?: string;
  readonly trunk?: string;
  readonly maxChanges?: number;
  readonly counts?: boolean;
  readonly most?: number;
  readonly json?: boolean;
}

interface AuditFlags {
  readonly config: string;
  readonly records: readonly string[];
  readonly days: number;
  readonly soon: number;
  readonly verifiedWithin?: number;
  readonly lessee?: string;
  readonly json?: boolean;
}

function readCount(text: string): number {
  if (!/^\d{1,15}$/u.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function readPositive(text: string): number {
  const count = readCount(text);
  if (count < 1) throw new InvalidArgumentError("It must be 1 or more.");
  return count;
}

interface ReportFlags {
  readonly month: string;
  readonly by: readonly Dimension[];
  readonly format: "html" | "csv" | "json";
  readonly lang?: "zh" | "en";
  readonly monthly: readonly string[];
  readonly unit?: string;
  readonly madeAt?: string;
  readonly config?: string;
  readonly records: readonly string[];
}

/** Gathers the values of an option that may be given more than once. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function collectBy(value: string, before: readonly Dimension[]): readonly Dimension[] {
  const known = dimensions.find((dimension) => dimension === value);
  if (known === undefined) throw new InvalidArgumentError(`It must be one of ${dimensions.join(", ")}.`);
  return [...before, known];
}
