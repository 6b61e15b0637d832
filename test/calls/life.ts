import t from "tap";
import { makeCalls, passTime, play, START } from "../support/calls.ts";

/** A life of one call: steps at seconds since it began, what was told, and how it stands when the last second is over. */
interface Life {
  readonly name: string;
  readonly steps: readonly (readonly [second: number, step: string])[];
  readonly until: number;
  readonly told: readonly string[];
  readonly state: string;
  readonly channels: number;
}

const ID = "gw-a-10-1";
const T = 64 * 0.5;

const lives: readonly Life[] = [
  { name: "judged: nothing is told", steps: [], until: 31, told: [], state: "judged", channels: 0 },
  { name: "judged: forgotten after 64·T1", steps: [], until: T, told: [], state: "free", channels: 0 },
  {
    name: "judged: only what was forwarded has an answer and an end",
    steps: [
      [1, "180"],
      [2, "200 a"],
      [3, "bye caller a"],
      [4, "486"],
    ],
    until: 5,
    told: [],
    state: "judged",
    channels: 0,
  },
  {
    name: "set-up: waits for 64·T1",
    steps: [[0, "forwarded"]],
    until: 31,
    told: [],
    state: "setup",
    channels: 1,
  },
  {
    name: "set-up: nobody answers",
    steps: [[0, "forwarded"]],
    until: 32,
    told: [`ended ${ID} by filter timed-out @ 32000`],
    state: "over",
    channels: 0,
  },
  {
    name: "set-up: another next hop has its own 64·T1",
    steps: [
      [0, "forwarded"],
      [20, "forwarded"],
    ],
    until: 51,
    told: [],
    state: "setup",
    channels: 1,
  },
  {
    name: "set-up: over, kept for repeats",
    steps: [
      [0, "forwarded"],
      [1, "486"],
    ],
    until: 32,
    told: [`ended ${ID} by called refused 486 cause 17 @ 1000`],
    state: "over",
    channels: 0,
  },
  {
    name: "set-up: over, forgotten",
    steps: [
      [0, "forwarded"],
      [1, "486"],
    ],
    until: 33,
    told: [`ended ${ID} by called refused 486 cause 17 @ 1000`],
    state: "free",
    channels: 0,
  },
  {
    name: "set-up: two final answers, one end",
    steps: [
      [0, "forwarded"],
      [1, "486"],
      [2, "486"],
      [3, "487"],
    ],
    until: 4,
    told: [`ended ${ID} by called refused 486 cause 17 @ 1000`],
    state: "over",
    channels: 0,
  },
  {
    name: "alerting is told once; 183 is none; each holds the set-up for 240 s",
    steps: [
      [0, "forwarded"],
      [1, "183"],
      [2, "180"],
      [3, "180"],
      [10, "183"],
    ],
    until: 249,
    told: [`ringing ${ID} @ 2000`],
    state: "setup",
    channels: 1,
  },
  {
    name: "alerting without an end",
    steps: [
      [0, "forwarded"],
      [2, "180"],
    ],
    until: 242,
    told: [`ringing ${ID} @ 2000`, `ended ${ID} by filter timed-out ringing 2000 @ 242000`],
    state: "over",
    channels: 0,
  },
  {
    name: "answered, released by the called party",
    steps: [
      [0, "forwarded"],
      [1.2, "180"],
      [3.4, "200 a"],
      [60, "bye called a 16"],
      [61, "left 200"],
    ],
    until: 62,
    told: [
      `ringing ${ID} @ 1200`,
      `answered ${ID} @ 3400`,
      `ended ${ID} by called released 200 cause 16 ringing 1200 answered 3400 @ 60000`,
    ],
    state: "free",
    channels: 0,
  },
  {
    name: "the channel is back with the BYE, the end waits for its answer",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [2, "bye caller a"],
      [3, "left 100"],
    ],
    until: 33,
    told: [`answered ${ID} @ 1000`],
    state: "leaving",
    channels: 0,
  },
  {
    name: "a BYE that nobody answers ends the call at its own time",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [2, "bye caller a"],
    ],
    until: 34,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by caller released 200 answered 1000 @ 2000`],
    state: "free",
    channels: 0,
  },
  {
    name: "an early release is kept for repeats of the INVITE",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [2, "bye caller a"],
      [3, "left 200"],
      [4, "200 a"],
      [5, "bye caller a"],
      [6, "left 200"],
    ],
    until: 34,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by caller released 200 answered 1000 @ 2000`],
    state: "over",
    channels: 0,
  },
  {
    name: "BYE answered 401: the call stands; the next BYE ends it",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [40, "bye caller a 31"],
      [41, "left 401"],
      [42, "left 200"],
      [50, "bye caller a 16"],
      [51, "left 200"],
    ],
    until: 52,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by caller released 200 cause 16 answered 1000 @ 50000`],
    state: "free",
    channels: 0,
  },
  {
    name: "BYE answered 407: the channel is taken again",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [40, "bye caller a"],
      [41, "left 407"],
    ],
    until: 200,
    told: [`answered ${ID} @ 1000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "BYE answered 420: the called side refuses it, and its call goes on",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [40, "bye caller a"],
      [41, "left 420"],
    ],
    until: 200,
    told: [`answered ${ID} @ 1000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "near miss, BYE answered 500: an end",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [40, "bye caller a"],
      [41, "left 500"],
    ],
    until: 41,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by caller released 200 answered 1000 @ 40000`],
    state: "free",
    channels: 0,
  },
  {
    name: "BYE answered 481: an end",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [40, "bye caller a"],
      [41, "left 481"],
    ],
    until: 41,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by caller released 200 answered 1000 @ 40000`],
    state: "free",
    channels: 0,
  },
  {
    name: "two BYEs that cross: the first counts",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [40, "bye caller a 16"],
      [40.1, "bye called a 31"],
      [41, "left 200"],
      [41.1, "left 200"],
    ],
    until: 42,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by caller released 200 cause 16 answered 1000 @ 40000`],
    state: "free",
    channels: 0,
  },
  {
    name: "repeats of a 2xx change nothing",
    steps: [
      [0, "forwarded"],
      [1, "200 a 600"],
      [9, "200 a 600"],
    ],
    until: 632,
    told: [`answered ${ID} @ 1000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "a fork: the first 2xx is told, the last BYE ends the call",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [1.5, "200 b"],
      [2, "bye caller a"],
      [2.5, "left 200"],
      [50, "bye called b 16"],
      [51, "left 200"],
    ],
    until: 52,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by called released 200 cause 16 answered 1000 @ 50000`],
    state: "free",
    channels: 0,
  },
  {
    name: "a fork: one BYE leaves the other dialog",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [1.5, "200 b"],
      [2, "bye caller a"],
      [2.1, "bye caller a"],
      [2.5, "left 200"],
    ],
    until: 100,
    told: [`answered ${ID} @ 1000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "a fork that answers while the first dialog is in release holds the call",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [2, "bye caller a"],
      [3, "200 b"],
      [4, "left 200"],
    ],
    until: 100,
    told: [`answered ${ID} @ 1000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "a fork: the BYE that is answered 401 has its dialog stand again",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [1, "200 b"],
      [2, "bye caller a"],
      [3, "left 401"],
      [40, "bye caller b"],
      [41, "left 200"],
    ],
    until: 100,
    told: [`answered ${ID} @ 1000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "a BYE with an unknown tag ends the only dialog",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [40, "bye caller x"],
      [41, "left 200"],
    ],
    until: 41,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by caller released 200 answered 1000 @ 40000`],
    state: "free",
    channels: 0,
  },
  {
    name: "a BYE with an unknown tag ends none of two dialogs",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [1, "200 b"],
      [40, "bye caller x"],
      [41, "left 200"],
    ],
    until: 100,
    told: [`answered ${ID} @ 1000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "the seventh dialog is not known: the call ends with the six",
    steps: [
      [0, "forwarded"],
      ...["a", "b", "c", "d", "e", "f", "g"].map((tag) => [1, `200 ${tag}`] as const),
      ...["a", "b", "c", "d", "e", "f"].map((tag) => [40, `bye caller ${tag}`] as const),
      [41, "200 g"],
      [42, "left 200"],
    ],
    until: 42,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by caller released 200 answered 1000 @ 40000`],
    state: "free",
    channels: 0,
  },
  {
    name: "six dialogs: the sixth holds the call",
    steps: [
      [0, "forwarded"],
      ...["a", "b", "c", "d", "e", "f"].map((tag) => [1, `200 ${tag}`] as const),
      ...["a", "b", "c", "d", "e"].map((tag) => [40, `bye caller ${tag}`] as const),
      [42, "left 200"],
    ],
    until: 100,
    told: [`answered ${ID} @ 1000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "CANCEL: the final answer says how it ended",
    steps: [
      [0, "forwarded"],
      [1, "180"],
      [5, "cancel"],
      [5.2, "487"],
    ],
    until: 6,
    told: [`ringing ${ID} @ 1000`, `ended ${ID} by caller cancelled 487 ringing 1000 @ 5200`],
    state: "over",
    channels: 0,
  },
  {
    name: "CANCEL without a final answer: 64·T1, whatever is provisional or repeated",
    steps: [
      [0, "forwarded"],
      [1, "180"],
      [5, "cancel"],
      [6, "180"],
      [7, "cancel"],
    ],
    until: 37,
    told: [`ringing ${ID} @ 1000`, `ended ${ID} by caller cancelled ringing 1000 @ 37000`],
    state: "over",
    channels: 0,
  },
  {
    name: "CANCEL: one second less",
    steps: [
      [0, "forwarded"],
      [5, "cancel"],
    ],
    until: 36,
    told: [],
    state: "setup",
    channels: 1,
  },
  {
    name: "glare: a 200 that crosses the CANCEL stands, and ends by its BYE",
    steps: [
      [0, "forwarded"],
      [5, "cancel"],
      [5.1, "200 a"],
      [6, "bye caller a"],
      [6.1, "left 200"],
    ],
    until: 7,
    told: [`answered ${ID} @ 5100`, `ended ${ID} by caller released 200 answered 5100 @ 6000`],
    state: "over",
    channels: 0,
  },
  {
    name: "glare: nor does the CANCEL end the call later",
    steps: [
      [0, "forwarded"],
      [5, "cancel"],
      [5.1, "200 a"],
    ],
    until: 400,
    told: [`answered ${ID} @ 5100`],
    state: "answered",
    channels: 1,
  },
  {
    name: "a BYE of the caller in an early dialog is a CANCEL",
    steps: [
      [0, "forwarded"],
      [1, "180"],
      [5, "bye caller a 16"],
    ],
    until: 37,
    told: [`ringing ${ID} @ 1000`, `ended ${ID} by caller cancelled cause 16 ringing 1000 @ 37000`],
    state: "over",
    channels: 0,
  },
  {
    name: "a BYE of the called party in an early dialog is none",
    steps: [
      [0, "forwarded"],
      [1, "183"],
      [5, "bye called a 16"],
    ],
    until: 100,
    told: [],
    state: "setup",
    channels: 1,
  },
  {
    name: "a late 2xx, after the set-up has timed out: counted, not told",
    steps: [
      [0, "forwarded"],
      [1, "183"],
      [250, "180"],
      [251, "200 a"],
    ],
    until: 400,
    told: [`ended ${ID} by filter timed-out @ 241000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "a late 2xx ends by its BYE, still without a word",
    steps: [
      [0, "forwarded"],
      [2, "487"],
      [3, "200 a"],
      [50, "bye caller a"],
      [51, "left 200"],
    ],
    until: 52,
    told: [`ended ${ID} by caller cancelled 487 @ 2000`],
    state: "free",
    channels: 0,
  },
  {
    name: "a late 2xx of another dialog: a 401 to the BYE of before has nothing stand again",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
      [2, "bye caller a"],
      [3, "left 200"],
      [4, "200 b"],
      [5, "left 401"],
      [60, "bye caller b"],
      [61, "left 200"],
    ],
    until: 62,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by caller released 200 answered 1000 @ 2000`],
    state: "free",
    channels: 0,
  },
  {
    name: "session: expiry and 32 s",
    steps: [
      [0, "forwarded"],
      [1, "200 a 90"],
    ],
    until: 123,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by filter timed-out 200 answered 1000 @ 123000`],
    state: "free",
    channels: 0,
  },
  {
    name: "session: one second less",
    steps: [
      [0, "forwarded"],
      [1, "200 a 90"],
    ],
    until: 122,
    told: [`answered ${ID} @ 1000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "session: a 2xx without an interval ends it",
    steps: [
      [0, "forwarded"],
      [1, "200 a 90"],
      [50, "refreshed 0"],
    ],
    until: 12 * 3600,
    told: [`answered ${ID} @ 1000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "session: another request of the dialog does not refresh it",
    steps: [
      [0, "forwarded"],
      [1, "200 a 90"],
      [50, "seen"],
    ],
    until: 123,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by filter timed-out 200 answered 1000 @ 123000`],
    state: "free",
    channels: 0,
  },
  {
    name: "session: a refresh with a shorter interval",
    steps: [
      [0, "forwarded"],
      [1, "200 a 1800"],
      [50, "refreshed 90"],
    ],
    until: 172,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by filter timed-out 200 answered 1000 @ 172000`],
    state: "free",
    channels: 0,
  },
  {
    name: "session: another dialog with a longer one",
    steps: [
      [0, "forwarded"],
      [1, "200 a 90"],
      [2, "200 b 180"],
      [3, "bye caller a"],
      [4, "left 200"],
    ],
    until: 213,
    told: [`answered ${ID} @ 1000`],
    state: "answered",
    channels: 1,
  },
  {
    name: "no session: lost after maxCall, counted from the answer",
    steps: [
      [0, "forwarded"],
      [1, "200 a"],
    ],
    until: 12 * 3600 + 1,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by filter lost 200 answered 1000 @ 43201000`],
    state: "free",
    channels: 0,
  },
  {
    name: "no refresh carries a call over maxCall",
    steps: [
      [0, "forwarded"],
      [1, "200 a 90"],
      ...Array.from({ length: 432 }, (_, i) => [(i + 1) * 100, "refreshed 1800"] as const),
    ],
    until: 12 * 3600 + 1,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by filter lost 200 answered 1000 @ 43201000`],
    state: "free",
    channels: 0,
  },
  {
    name: "ended without a BYE (ISUP)",
    steps: [
      [0, "forwarded"],
      [1, "200"],
      [50, "486"],
      [51, "486"],
    ],
    until: 51,
    told: [`answered ${ID} @ 1000`, `ended ${ID} by called refused 486 cause 17 answered 1000 @ 50000`],
    state: "free",
    channels: 0,
  },
];

void t.test("the life of a call", (t) => {
  for (const { name, steps, until, told, state, channels } of lives) {
    const memory = makeCalls();
    const { calls } = memory;
    const slot = calls.begin("key", "lease", START);
    const callName = calls.nameOf(slot);
    let second = 0;
    for (const [at, step] of steps) {
      passTime(calls, START + Math.ceil(second) * 1000, START + at * 1000);
      play(calls, slot, step, START + at * 1000);
      second = at;
    }
    passTime(calls, START + Math.ceil(second) * 1000, START + until * 1000);
    t.same(memory.told(), told, name);
    const found = calls.named(callName);
    t.equal(found === -1 ? "free" : calls.stateOf(found), state, `${name}: state`);
    t.equal(calls.channels("lease"), channels, `${name}: channels`);
    const standing = calls.standing().get("lease");
    t.equal((standing?.setup ?? 0) + (standing?.answered ?? 0), channels, `${name}: standing`);
    t.equal(calls.size(), state === "free" ? 0 : 1, `${name}: size`);
  }
  t.end();
});
