#!/usr/bin/env node
// The program `sigwall`: runs the command line and exits with the code of the command.
import { runProgram } from "./cli/commands.ts";

// A reader that closes the pipe early (`sigwall inspect … | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

// What can't be said on standard error must not end the filter.
process.stderr.on("error", () => undefined);

process.exitCode = await runProgram(process.argv.slice(2));
