#!/usr/bin/env node
// The program `sigwall`: runs the command line and exits with the code of the command.
import { describeFailure } from "./app/read-file.ts";
import { runProgram } from "./cli/commands.ts";

// A reader that closes the pipe early (`sigwall inspect … | head`) is no error. A disk that is full is one.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`sigwall: can't write to standard output: ${describeFailure(error)}\n`);
  process.exit(1);
});

// What can't be said on standard error must not end the filter.
process.stderr.on("error", () => undefined);

process.exitCode = await runProgram(process.argv.slice(2));
