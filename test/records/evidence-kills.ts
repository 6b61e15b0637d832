import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { join } from "node:path";
import t from "tap";
import { findBlocks } from "../../src/records/evidence/call-search.ts";
import { createPlace, noon, openLog, verify } from "./evidence-place.ts";

const ROUNDS = 50;

/** Starts the process, and kills it when it has said a number of lines. @returns what it promised last */
async function killAfter(
  lines: number,
  args: readonly string[],
): Promise<{ readonly leaves: number; readonly calls: number }> {
  const child = spawn(process.execPath, [join("out", "test", "records", "appending.js"), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let seen = 0;
  let last = { leaves: 0, calls: 0 };
  const input = createInterface({ input: child.stdout });
  input.on("line", (line) => {
    const [, leaves, calls] = line.split(" ");
    last = { leaves: Number(leaves), calls: Number(calls) };
    seen += 1;
    if (seen === lines) child.kill("SIGKILL");
  });
  await Promise.all([once(child, "exit"), once(input, "close")]);
  return last;
}

void t.test(
  `kill -9 at ${ROUNDS} moments: what a commit has promised is there`,
  { timeout: 600_000 },
  async (t) => {
    const place = createPlace(t);
    let promised = { leaves: 0, calls: 0 };
    let told = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const lines = 1 + ((round * 7919) % 40);
      promised = await killAfter(lines, [place.folder, place.keyFile, String(promised.calls)]);
      const log = openLog(place);
      const { leaves, told: mended } = log.state();
      told += mended.length;
      if (leaves < promised.leaves) t.fail(`round ${round}: ${leaves} leaves of ${promised.leaves}`);
      log.checkpoint(noon);
      log.close();
      const { faults } = verify(place.folder);
      if (faults.length > 0) t.fail(`round ${round}: ${faults[0]}`);
      const newest = `n-${promised.calls}`;
      if (
        promised.calls > 0 &&
        findBlocks(place.folder, "gw-a", [{ field: "callId", value: newest }]).length === 0
      )
        t.fail(`round ${round}: ${newest} was promised and is missing`);
    }
    t.ok(promised.calls > 200, `${promised.calls} calls were promised, ${told} places were mended`);
  },
);
