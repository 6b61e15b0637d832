import t from "tap";
import { runCampaign } from "./campaign.ts";
import { readCorpus } from "./corpus.ts";
import { runStreamCampaign } from "./streams/campaign.ts";
import { compareSessions } from "./twin-sessions.ts";
import { writeVector } from "./vector.ts";

/** Bytes: sessions leave nothing behind, but what V8 compiles later than the first hundred. */
const MOST_GROWTH = 8e6;

/** Sessions over UDP. The seed is fixed, so that a failure is the change's. */
export function testSessions(seed: number, sessions: number): void {
  void t.test(`${sessions} hostile sessions from seed ${seed} on`, (t) => {
    const { datagrams, answered, accepted, growth, failures } = runCampaign(seed, { sessions });
    t.comment(`${datagrams} datagrams, ${accepted} calls accepted`);
    const vectors = [...failures].map(([kind, found]) =>
      writeVector(`${kind} (--seed ${found.seed})`, found.session),
    );
    t.same(vectors, [], `nothing wrong from seed ${seed} on`);
    t.ok(growth < MOST_GROWTH, `the heap holds ${(growth / 1e6).toFixed(1)} MB more`);
    // Sessions that never get anywhere would find nothing.
    t.ok(answered > datagrams / 3, "many a datagram leads to one");
    t.ok(accepted > datagrams / 20, "many a call is accepted");
    t.end();
  });
}

/** Sessions with two proxies at once, one of them without the byte path. */
export function testTwinSessions(seed: number, count: number): void {
  void t.test(`${count} sessions with and without the byte path from seed ${seed} on`, (t) => {
    const { messages, taken, handedOn, differing } = compareSessions(seed, { sessions: count });
    t.same(differing, [], `${messages} messages: ${taken} taken, ${handedOn} handed on`);
    t.ok(taken > messages / 20, "many a message is taken");
    t.end();
  });
}

/** Sessions over every transport. */
export function testStreamSessions(seed: number, count: number): void {
  void t.test(`${count} hostile sessions over every transport from seed ${seed} on`, (t) => {
    const extent = { sessions: count };
    const { sessions, sent, accepted, moved, large, failures } = runStreamCampaign(
      seed,
      extent,
      readCorpus(),
    );
    t.comment(
      `${sent} messages sent, ${accepted} calls accepted, ${moved} moved, ${large} by TCP for their size`,
    );
    t.same(failures, [], `nothing wrong from seed ${seed} on`);
    // Sessions that never get anywhere would find nothing.
    t.ok(accepted > sessions * 3, "many a call is accepted");
    t.ok(moved > sessions / 4, "many a call moves");
    t.ok(large > sessions / 4, "many a request is too large for a datagram");
    t.end();
  });
}
