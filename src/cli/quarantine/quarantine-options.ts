// The words and options of `sigwall quarantine`.
import { hostname } from "node:os";
import type { Command } from "commander";
import type { QuarantineFlags, QuarantineOutput } from "./quarantine-flags.ts";

/** Adds `quarantine list`, `add` and `release`. Each is loaded when it is called. */
export function addQuarantineCommands(
  program: Command,
  defaultConfig: string,
  end: (code: number) => void,
): void {
  const quarantine = program
    .command("quarantine")
    .description(
      "whom findings and orders bind: lists, binds and releases callers, blocks, trunks, called parties",
    );

  quarantine
    .command("list")
    .description("lists what is in quarantine, and findings in force from which nothing follows")
    .option("--config <file>", "configuration of the filter", defaultConfig)
    .option("--json", "one JSON object per line")
    .action(async (options: QuarantineFlags) => {
      const { listQuarantine } = await import("./quarantine-list.ts");
      end(await listQuarantine(options, output()));
    });

  quarantine
    .command("add")
    .description("binds a caller or a block on one trunk, a trunk, or the callers that bomb a party")
    .argument("<subject>", "caller:NUMBER@TRUNK, callerBlock:NUMBER@TRUNK, trunk:NAME or called:NUMBER")
    .requiredOption("--for <time>", "how long: 30m, 24h, 7d")
    .requiredOption("--reason <text>", "why")
    .option("--config <file>", "configuration of the filter", defaultConfig)
    .option("--json", "one JSON object")
    .action(async (subject: string, options: QuarantineFlags & { for: string; reason: string }) => {
      const { orderQuarantine } = await import("./quarantine-order.ts");
      const { for: lasting, reason } = options;
      end(await orderQuarantine({ order: "add", subject, for: lasting, reason }, options, output()));
    });

  quarantine
    .command("release")
    .description("releases an entry or a finding, so that it does not come back while its campaign goes on")
    .argument("<id|subject>", "an id of the list, or a subject as for add")
    .requiredOption("--reason <text>", "why")
    .option("--config <file>", "configuration of the filter", defaultConfig)
    .option("--json", "one JSON object")
    .action(async (what: string, options: QuarantineFlags & { reason: string }) => {
      const { orderQuarantine } = await import("./quarantine-order.ts");
      const named = what.includes(":") ? { subject: what } : { id: what };
      end(await orderQuarantine({ order: "release", ...named, reason: options.reason }, options, output()));
    });
}

/** Where the commands write, and what surrounds the process. */
function output(): QuarantineOutput {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    host: hostname(),
    environment: process.env,
  };
}
