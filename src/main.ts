#!/usr/bin/env node
import { runProgram } from "./cli/commands.ts";

// A reader that has seen enough (`sigwall inspect … | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await runProgram(process.argv.slice(2));
