// Seals as `sigwall seal` does, and is killed after a step: `node sealing-process.js RECORDS NOW STEP`.
import { sealRecords } from "../../src/cli/seal.ts";
import { readFromDisk } from "../../src/app/read-file.ts";

const [records = "", now = "0", last = ""] = process.argv.slice(2);
process.exitCode = await sealRecords(
  { config: undefined, records: [records] },
  {
    stdout: process.stdout,
    stderr: process.stderr,
    readFile: readFromDisk,
    now: Number(now),
    after: (step) => {
      if (step === last) process.kill(process.pid, "SIGKILL");
    },
  },
);
