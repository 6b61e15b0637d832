import t from "tap";
import { describeRefusal, isRefusal, judgementOf } from "../../src/observe/decision-log.ts";
import { createLimitedQueue } from "../../src/observe/limited-queue.ts";
import type { Action } from "../../src/domain/call.ts";
import { createTestRelay, UNLISTED } from "../support/isup-relay.ts";
import { decidedOf } from "./decision.ts";

void t.test("refusals: reject and drop are refusals, the rest is not", (t) => {
  const table = [
    ["reject", true],
    ["drop", true],
    ["accept", false],
    ["label", false],
    ["withhold", false],
  ] as const;
  for (const [kind, expected] of table) {
    const action: Action = expected
      ? { kind: "answered", status: 433 }
      : { kind: "forwarded", hop: "udp:a:1" };
    t.equal(isRefusal(decidedOf({ verdict: { kind, reason: "cli-hidden" } }, action)), expected, kind);
  }
  t.end();
});

void t.test("refusals: one line says who decided and why, and shows no number", (t) => {
  const refusal = describeRefusal(
    decidedOf({ calling: ["pai 01087654400", "from 01087654400", "rpid 13812345678", "from anonymous"] }),
  );
  t.match(refusal, {
    trunk: "lease",
    verdict: "reject",
    reason: "cli-not-listed",
    rule: "caller-authentication",
    caller: ["+8610xxxxxxxx", "+86138xxxxxxxx", "token"],
    called: "+8627xxxxxxxx",
    revision: "9f2c",
  });
  t.notMatch(JSON.stringify(refusal), /\d{7}/u);
  const many = Array.from({ length: 50 }, (_, index) => `pai 02${index % 10}8765432${index % 10}`);
  t.equal(describeRefusal(decidedOf({ calling: many })).caller?.length, 4, "a peer can't make the line long");
  t.end();
});

void t.test(
  "refusals: the line of an IAM names the circuit, by which a trunk group is found, and the lessee",
  (t) => {
    const test = createTestRelay();
    test.lease(UNLISTED, 14);
    test.lease("IAM called=3:13800138000", 15);
    const [withCaller, without] = test.events.flatMap((event) => {
      const judgement = judgementOf(event);
      return judgement === undefined ? [] : [describeRefusal(judgement)];
    });
    t.match(withCaller, {
      trunk: "lease",
      lessee: "bank",
      reason: "cli-not-listed",
      isup: { opc: 11, dpc: 900, cic: 14, natureOfAddress: 3, screening: 3 },
      action: "released",
      cause: 21,
    });
    t.equal(JSON.stringify(without?.isup), '{"opc":11,"dpc":900,"cic":15}', "as in `inspect --json`");
    t.equal(withCaller?.callId, undefined);
    t.end();
  },
);

void t.test("limited queue: so many a second, the rest is summed up when the second is over", (t) => {
  const written: string[] = [];
  const queue = createLimitedQueue<string>(3, {
    write: (item) => written.push(item),
    omitted: (count) => written.push(`… ${count} more`),
  });
  const see = (now: number, expected: readonly string[], why: string): void => {
    queue.flush(now);
    t.same(written.splice(0), expected, why);
  };
  const start = 1_000_000;
  see(start, [], "nothing to say");
  for (const item of ["a", "b", "c", "d", "e"]) queue.push(item);
  t.same(written, [], "nothing is written on the path of a call");
  see(start + 100, ["a", "b", "c"], "the first three");
  queue.push("f");
  see(start + 999, [], "the second is used up");
  see(start + 1000, ["… 3 more"], "d, e and f");
  queue.push("g");
  see(start + 1100, ["g"], "a new second");
  see(start + 2000, [], "nothing was left out");
  for (const item of ["h", "i", "j", "k"]) queue.push(item);
  see(start - 3_600_000, ["h", "i", "j", "… 1 more"], "a clock set back does not silence it");
  queue.push("l");
  see(start - 3_600_000 + 100, ["l"], "and it counts on from there");
  t.end();
});

void t.test(
  "refusals: the line of an IAM names the circuit, by which a trunk group is found, and the lessee",
  (t) => {
    const test = createTestRelay();
    test.lease(UNLISTED, 14);
    test.lease("IAM called=3:13800138000", 15);
    const [withCaller, without] = test.events.flatMap((event) => {
      const judgement = judgementOf(event);
      return judgement === undefined ? [] : [describeRefusal(judgement)];
    });
    t.match(withCaller, {
      trunk: "lease",
      lessee: "bank",
      reason: "cli-not-listed",
      isup: { opc: 11, dpc: 900, cic: 14, natureOfAddress: 3, screening: 3 },
      action: "released",
      cause: 21,
    });
    t.equal(JSON.stringify(without?.isup), '{"opc":11,"dpc":900,"cic":15}', "as in `inspect --json`");
    t.equal(withCaller?.callId, undefined);
    t.end();
  },
);

void t.test("limited queue: none a second only counts", (t) => {
  const counts: number[] = [];
  const queue = createLimitedQueue<string>(0, {
    write: () => t.fail("not this one"),
    omitted: (count) => counts.push(count),
  });
  for (let index = 0; index < 1234; index++) queue.push("a");
  queue.flush(5000);
  t.same(counts, [1234]);
  t.end();
});
