import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import t from "tap";

/** Set by `npm run test:long -- --soak MINUTES`. */
const minutes = process.env["SOAK_MINUTES"];

void t.test("soak: no call is lost while policies change and next hops are killed", async (t) => {
  if (minutes === undefined) {
    t.pass("soak", { skip: "it takes as long as it is told: npm run test:long -- soak --soak MINUTES" });
    return;
  }
  // A rate that leaves room for neighbours: what the filter takes on a quiet machine, `npm run soak` measures.
  const load = ["--minutes", minutes, "--rate", "50", "--reload-every", "5", "--kill-every", "30"];
  const soak = spawn(process.execPath, ["out/bench/soak/run.js", ...load], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = await text(soak.stdout);
  for (const line of said.trimEnd().split("\n")) t.comment(line);
  t.equal(soak.exitCode, 0, said);
});
