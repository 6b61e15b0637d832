/** `npm run fuzz -- [--seconds N] [--seed N]`, half of it over streams: prints the seed, and what it finds as literate vectors; exit code 1 when it finds anything. */
import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.ts";
import { readCorpus } from "./corpus.ts";
import { runStreamCampaign } from "./streams/campaign.ts";
import { writeVector } from "./vector.ts";

const { values: options } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const seed = Number(options.seed ?? Date.now() % 1_000_000_000);
process.stderr.write(`seed ${seed}, ${options.seconds} s\n`);
/** Half of the time each. */
const extent = { seconds: Number(options.seconds) / 2 };
const { sessions, datagrams, answered, accepted, growth, failures } = runCampaign(seed, extent);
const streams = runStreamCampaign(seed, extent, readCorpus());
for (const failure of streams.failures) process.stdout.write(`over streams, ${failure}\n`);
for (const [kind, { seed: found, session }] of failures)
  process.stdout.write(`${writeVector(`${kind} (--seed ${found})`, session)}\n`);
process.stderr.write(
  `${datagrams} datagrams in ${sessions} sessions, ${answered} led to one, ${accepted} calls accepted, heap ${(growth / 1e6).toFixed(1)} MB more: ${failures.size} failures\n`,
);
process.stderr.write(
  `over streams: ${streams.sent} messages sent in ${streams.sessions} sessions, ${streams.accepted} calls accepted, ${streams.moved} moved: ${streams.failures.length} failures\n`,
);
process.exitCode = failures.size + streams.failures.length === 0 ? 0 : 1;
