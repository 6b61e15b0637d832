/** `npm run fuzz -- [--seconds N] [--seed N]`: prints the seed, and what it finds as literate vectors; exit code 1 when it finds anything. */
import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.ts";
import { writeVector } from "./vector.ts";

const { values: options } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const seed = Number(options.seed ?? Date.now() % 1_000_000_000);
process.stderr.write(`seed ${seed}, ${options.seconds} s\n`);
const { sessions, datagrams, answered, accepted, growth, failures } = runCampaign(
  seed,
  Number(options.seconds),
);
for (const [kind, { seed: found, session }] of failures)
  process.stdout.write(`${writeVector(`${kind} (--seed ${found})`, session)}\n`);
process.stderr.write(
  `${datagrams} datagrams in ${sessions} sessions, ${answered} led to one, ${accepted} calls accepted, heap ${(growth / 1e6).toFixed(1)} MB more: ${failures.size} failures\n`,
);
process.exitCode = failures.size === 0 ? 0 : 1;
