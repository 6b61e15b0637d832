/** `npm run fuzz -- [--seconds N] [--seed N]`, a third of it over streams, a third with and without the byte path: prints the seed, and what it finds as literate vectors; exit code 1 when it finds anything. */
import { parseArgs } from "node:util";
import { runCampaign, type Campaign } from "./campaign.ts";
import { readCorpus } from "./corpus.ts";
import { runStreamCampaign } from "./streams/campaign.ts";
import { compareSessions } from "./twin-sessions.ts";
import { writeVector } from "./vector.ts";

const { values: options } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const seed = Number(options.seed ?? Date.now() % 1_000_000_000);
process.stderr.write(`seed ${seed}, ${options.seconds} s\n`);
/**
 * Sessions run in slices of so many seconds. Between two slices the event loop turns: only then Node gives back the memory
 * of hashes.
 */
const SLICE = 10;

/** Runs a third of the time. @param run runs one slice from a seed; @returns true when it has found something */
async function inSlices(run: (seed: number, seconds: number) => boolean): Promise<void> {
  const end = performance.now() + (Number(options.seconds) / 3) * 1000;
  for (let slice = 0; ; slice++) {
    const left = (end - performance.now()) / 1000;
    if (left <= 0 || run(seed + slice * 1_000_000, Math.min(SLICE, left))) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const total = { sessions: 0, datagrams: 0, answered: 0, accepted: 0, growth: 0 };
const failures: Campaign["failures"][] = [];
await inSlices((from, seconds) => {
  const campaign = runCampaign(from, { seconds });
  total.sessions += campaign.sessions;
  total.datagrams += campaign.datagrams;
  total.answered += campaign.answered;
  total.accepted += campaign.accepted;
  total.growth = Math.max(total.growth, campaign.growth);
  failures.push(campaign.failures);
  return campaign.failures.size > 0;
});
const streams = { sent: 0, sessions: 0, accepted: 0, moved: 0 };
const streamFailures: string[] = [];
const corpus = readCorpus();
await inSlices((from, seconds) => {
  const campaign = runStreamCampaign(from, { seconds }, corpus);
  streams.sent += campaign.sent;
  streams.sessions += campaign.sessions;
  streams.accepted += campaign.accepted;
  streams.moved += campaign.moved;
  streamFailures.push(...campaign.failures);
  return campaign.failures.length > 0;
});
const twins = { messages: 0, sessions: 0, taken: 0, handedOn: 0 };
const differing: string[] = [];
await inSlices((from, seconds) => {
  const comparison = compareSessions(from, { seconds });
  twins.messages += comparison.messages;
  twins.sessions += comparison.sessions;
  twins.taken += comparison.taken;
  twins.handedOn += comparison.handedOn;
  differing.push(...comparison.differing);
  return comparison.differing.length > 0;
});
for (const difference of differing) process.stdout.write(`byte path, ${difference}\n`);
for (const failure of streamFailures) process.stdout.write(`over streams, ${failure}\n`);
let found = 0;
for (const kinds of failures)
  for (const [kind, { seed: at, session }] of kinds) {
    found++;
    process.stdout.write(`${writeVector(`${kind} (--seed ${at})`, session)}\n`);
  }
process.stderr.write(
  `${total.datagrams} datagrams in ${total.sessions} sessions, ${total.answered} led to one, ${total.accepted} calls accepted, heap ${(total.growth / 1e6).toFixed(1)} MB more: ${found} failures\n`,
);
process.stderr.write(
  `over streams: ${streams.sent} messages sent in ${streams.sessions} sessions, ${streams.accepted} calls accepted, ${streams.moved} moved: ${streamFailures.length} failures\n`,
);
process.stderr.write(
  `byte path: ${twins.messages} messages in ${twins.sessions} sessions, ${twins.taken} taken, ${twins.handedOn} handed on: ${differing.length} differing\n`,
);
process.exitCode = found + streamFailures.length + differing.length === 0 ? 0 : 1;
