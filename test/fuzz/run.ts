/** `npm run fuzz -- [--seconds N] [--seed N]`, a third of it over streams, a third with and without the byte path: prints the seed, and what it finds as literate vectors; exit code 1 when it finds anything. */
import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.ts";
import { readCorpus } from "./corpus.ts";
import { runStreamCampaign } from "./streams/campaign.ts";
import { compareSessions } from "./twin-sessions.ts";
import { writeVector } from "./vector.ts";

const { values: options } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const seed = Number(options.seed ?? Date.now() % 1_000_000_000);
process.stderr.write(`seed ${seed}, ${options.seconds} s\n`);
/** A third of the time each. */
const extent = { seconds: Number(options.seconds) / 3 };
const { sessions, datagrams, answered, accepted, growth, failures } = runCampaign(seed, extent);
const streams = runStreamCampaign(seed, extent, readCorpus());
const twins = compareSessions(seed, extent);
for (const difference of twins.differing) process.stdout.write(`byte path, ${difference}\n`);
for (const failure of streams.failures) process.stdout.write(`over streams, ${failure}\n`);
for (const [kind, { seed: found, session }] of failures)
  process.stdout.write(`${writeVector(`${kind} (--seed ${found})`, session)}\n`);
process.stderr.write(
  `${datagrams} datagrams in ${sessions} sessions, ${answered} led to one, ${accepted} calls accepted, heap ${(growth / 1e6).toFixed(1)} MB more: ${failures.size} failures\n`,
);
process.stderr.write(
  `over streams: ${streams.sent} messages sent in ${streams.sessions} sessions, ${streams.accepted} calls accepted, ${streams.moved} moved: ${streams.failures.length} failures\n`,
);
process.stderr.write(
  `byte path: ${twins.messages} messages in ${twins.sessions} sessions, ${twins.taken} taken, ${twins.handedOn} handed on: ${twins.differing.length} differing\n`,
);
process.exitCode = failures.size + streams.failures.length + twins.differing.length === 0 ? 0 : 1;
