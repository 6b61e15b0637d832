// Links of one linkset share one memory of circuits: what comes by one link counts for all of them.
import { Buffer } from "node:buffer";
import t from "tap";
import { RECOVERY, T1, T5 } from "../../src/isup/circuit-release.ts";
import { T7 } from "../../src/isup/iam.ts";
import { withContext } from "../../src/ss7/m3ua-reply.ts";
import {
  createTestRelay,
  fromLease,
  LISTED,
  places,
  told,
  UNLISTED,
  type TestRelay,
} from "../support/isup-relay.ts";

const ACM = "hex 060000 00";
const ANM = "hex 090000";
/** An IAM that announces its segment. */
const SEGMENTED = "hex 010060000a03020a0803108308108300f00801040a070313017856341200";

/**
 * A step: whose message by which link, or what befalls a link, or seconds that pass; and what the relay sends.
 * `lease1 RLC`: the lessee's exchange, by the second link; `calls`: how many are known; `decisions`.
 */
type Step = readonly [step: string, sent: readonly string[]];

const m3ua: Readonly<Record<string, string>> = {
  aspia: "0100040200000008",
  "aspia-ack": "0100040400000008",
  aspdn: "0100030200000008",
  "aspac-ack": "0100040300000008",
  alternate: "0100000100000010000d000800020002",
  "as-active": "0100000100000010000d000800010003",
  duna: "0100020100000010001200080000000b",
  "duna-of-another": "01000201000000100012000800000063",
  dava: "0100020200000010001200080000000b",
  dereg: "010009040000001c0209001400060008000000640213000800000000",
};

function play(test: TestRelay, step: string): string[] {
  const [word = "", ...rest] = step.split(" ");
  const text = rest
    .join(" ")
    .replace("listed", LISTED)
    .replace(`un${LISTED}`, UNLISTED)
    .replace("segmented", SEGMENTED);
  const who = word.replace(/\d$/, "");
  const link = Number(/\d$/.exec(word)?.[0] ?? 0);
  if (word === "calls") return [String(test.counters.ss7.calls)];
  if (word === "decisions") return [String(test.decisions.length)];
  if (word === "wait") return told(test.pass(Number(text) * 1000));
  if (who === "down") test.relay.disconnect(test.now, link);
  else if (who === "up") test.relay.connect(link, places);
  else if (who === "lease") return told(test.lease(text, 2, link));
  else if (who === "core") return told(test.core(text, 2, link));
  else {
    // DUNA and DAVA of an exchange come from its side.
    const side = /^d[au][vn]a/.test(who) && text !== "core" ? 0 : 1;
    return told(test.receive(side, Buffer.from(m3ua[who] ?? "", "hex"), 0, link)).slice(0, -1);
  }
  return told(test.take());
}

const released = ["0 REL 21 900>11-2"];
const tables: readonly (readonly [name: string, ...steps: Step[]])[] = [
  [
    "RLC of a refused call by the other link",
    ["lease0 unlisted", released],
    ["lease1 RLC", []],
    ["lease1 listed", ["1:1 IAM 11>900-2"]],
    [`core1 ${ACM}`, ["1:0 ACM 900>11-2"]],
    [`core0 ${ANM}`, ["0 ANM 900>11-2"]],
    ["wait 400", []],
  ],
  [
    "refused on the link where a refusal has waited",
    ["lease0 unlisted", released],
    ["lease1 RLC", []],
    ["lease0 listed", ["1 IAM 11>900-2"]],
  ],
  [
    "a listed caller before the RLC was seen: the exchange has left the refused call",
    ["lease0 unlisted", released],
    ["lease1 listed", ["1:1 IAM 11>900-2"]],
    ["wait 400", []],
  ],
  [
    "near miss: the same IAM again is the same call",
    ["lease0 unlisted", released],
    ["lease1 unlisted", []],
    [`wait ${T1 / 1000}`, released],
  ],
  [
    "the IAM once more, after a changeover, is no second call",
    ["lease0 listed", ["1 IAM 11>900-2"]],
    ["lease1 listed", ["1:1 IAM 11>900-2"]],
    ["decisions", ["1"]],
    [`core1 ${ACM}`, ["1:0 ACM 900>11-2"]],
    ["lease1 listed", ["1:1 IAM 11>900-2"]],
    ["decisions", ["2"]],
  ],
  [
    "near miss: another caller is another call",
    ["lease0 listed", ["1 IAM 11>900-2"]],
    ["lease1 unlisted", ["1:1 REL 21 11>900-2", "1:0 REL 21 900>11-2"]],
    ["decisions", ["2"]],
  ],
  [
    "an RLC once more, after a changeover, ends no later call",
    ["lease0 listed", ["1 IAM 11>900-2"]],
    ["lease0 REL cause=16", ["1 REL 16 11>900-2"]],
    ["core0 RLC", ["0 RLC 900>11-2"]],
    ["lease0 listed", ["1 IAM 11>900-2"]],
    ["core1 RLC", ["1:0 RLC 900>11-2"]],
    ["calls", ["1"]],
    ["lease0 REL cause=16", ["1 REL 16 11>900-2"]],
    ["core0 RLC", ["0 RLC 900>11-2"]],
    ["calls", ["0"]],
  ],
  [
    "dual seizure is over once ACM has passed by any link",
    ["core0 listed", ["0 IAM 900>11-2"]],
    [`lease1 ${ACM}`, ["1:1 ACM 11>900-2"]],
    ["lease0 unlisted", released],
    ["lease1 RLC", []],
  ],
  [
    "a call that ended long ago is not sent again",
    ["core0 listed", ["0 IAM 900>11-2"]],
    ["lease1 REL cause=16", ["1:1 REL 16 11>900-2"]],
    ["core1 RLC", ["1:0 RLC 900>11-2"]],
    ["lease0 unlisted", released],
    ["lease0 RLC", []],
  ],
  [
    "an IAM that nobody has answered for T7 isn't sent again: its exchange has given up",
    ["core0 listed", ["0 IAM 900>11-2"]],
    [`wait ${T7 / 1000}`, []],
    ["lease0 unlisted", released],
    ["lease0 RLC", []],
  ],
  [
    "the exchange takes the other call though its RLC was lost",
    ["lease0 unlisted", released],
    ["core1 listed", ["1:0 IAM 900>11-2"]],
    [`lease1 ${ACM}`, ["1:1 ACM 11>900-2"]],
    ["wait 400", []],
  ],
  [
    "a link is lost: REL goes by the other one a second later, and is repeated there",
    ["lease0 unlisted", released],
    ["down0", []],
    [`wait ${RECOVERY / 1000}`, ["1:0 REL 21 900>11-2"]],
    [`wait ${T1 / 1000}`, ["1:0 REL 21 900>11-2"]],
    ["lease1 RLC", []],
    ["wait 400", []],
  ],
  [
    "near miss: the RLC comes by the other link within that second",
    ["lease0 unlisted", released],
    ["down0", []],
    ["lease1 RLC", []],
    ["lease1 listed", ["1:1 IAM 11>900-2"]],
    ["wait 400", []],
  ],
  [
    "every link is lost: forgotten",
    ["lease0 unlisted", released],
    ["down1", []],
    ["down0", []],
    ["up0", []],
    ["lease0 listed", ["1 IAM 11>900-2"]],
    ["wait 400", []],
  ],
  ...["aspia", "aspia-ack", "aspdn", "alternate", "duna", "dereg"].map(
    (word) =>
      [
        `${word}: handed over`,
        ["lease0 unlisted", released],
        [`${word}0`, []],
        [`wait ${RECOVERY / 1000}`, ["1:0 REL 21 900>11-2"]],
        ["lease1 RLC", []],
      ] as const,
  ),
  ...["as-active", "aspac-ack", "dava", "duna-of-another"].map(
    (word) =>
      [
        `near miss, ${word}: stays`,
        ["lease0 unlisted", released],
        [`${word}0`, []],
        [`wait ${T1 / 1000}`, released],
      ] as const,
  ),
  [
    "near miss, DUNA from the other side: that side does not reach the exchange, and need not",
    ["lease0 unlisted", released],
    ["duna0 core", []],
    ["duna1 core", []],
    [`wait ${T1 / 1000}`, released],
  ],
  [
    "a storm of DUNA and DAVA: looked at once, and by the tick",
    ["lease0 unlisted", released],
    ["duna1", []],
    ["dava1", []],
    ["duna0", []],
    ["wait 1", []],
    [`wait ${RECOVERY / 1000}`, ["1:0 REL 21 900>11-2"]],
  ],
  [
    "an inactive link takes nothing over",
    ["aspia1", []],
    ["lease0 unlisted", released],
    ["down0", []],
    ["wait 400", []],
  ],
  [
    "an active one again does",
    ["aspia1", []],
    ["aspac-ack1", []],
    ["lease0 unlisted", released],
    ["down0", []],
    [`wait ${RECOVERY / 1000}`, ["1:0 REL 21 900>11-2"]],
  ],
  [
    "nor one by which the exchange is unavailable",
    ["duna1", []],
    ["lease0 unlisted", released],
    ["down0", []],
  ],
  [
    "until it is available",
    ["duna1", []],
    ["dava1", []],
    ["lease0 unlisted", released],
    ["down0", []],
    [`wait ${RECOVERY / 1000}`, ["1:0 REL 21 900>11-2"]],
  ],
];

void t.test("one memory of circuits", (t) => {
  for (const [name, ...steps] of tables) {
    const test = createTestRelay({ links: 2 });
    for (const [step, sent] of steps) t.same(play(test, step), sent, `${name}: ${step}`);
    t.same(test.faults, [], name);
  }
  t.end();
});

void t.test("a segment by the other link is judged with its IAM", (t) => {
  const test = createTestRelay({ links: 2 });
  t.same(play(test, "lease0 segmented"), []);
  t.same(told(test.lease("SGM", 2, 1)), ["1 IAM 11>900-2", "1:1 SGM 11>900-2"]);
  t.end();
});

void t.test("an IAM that waits for its segment outlives its link, and gives way to another call", (t) => {
  const rows: readonly (readonly [name: string, ...steps: Step[]])[] = [
    ["the segment comes by the other link", ["lease1 SGM", ["1:1 IAM 11>900-2", "1:1 SGM 11>900-2"]]],
    ["no segment comes", ["wait 3", ["1:1 IAM 11>900-2"]]],
    ["near miss: no link is left", ["down1", []], ["wait 3", []]],
  ];
  for (const [name, ...steps] of rows) {
    const test = createTestRelay({ links: 2 });
    for (const [step, sent] of [["lease0 segmented", []], ["down0", []], ...steps] as const)
      t.same(play(test, step), sent, `${name}: ${step}`);
    t.equal(test.counters.ss7.refusals, 0, name);
    t.same(test.faults, [], name);
  }
  const test = createTestRelay({ links: 2 });
  t.same(play(test, "lease0 segmented"), []);
  t.same(play(test, "lease1 segmented"), [], "the same octets again are the same call");
  t.same(play(test, "lease1 listed"), ["1:1 IAM 11>900-2"], "another call");
  t.same(play(test, "wait 400"), [], "and nothing of the former one");
  t.end();
});

/** A message with another network appearance and routing context: "-" is none. */
function inContext(bytes: Buffer, appearance: string, context: string): Buffer {
  return withContext(bytes, bytes.indexOf("0210", 8, "hex"), {
    networkAppearance: appearance === "-" ? -1 : Number(appearance),
    routingContext: context === "-" ? -1 : Number(context),
  });
}

void t.test("a REL that another link takes over has the values of that link", (t) => {
  const rows: readonly (readonly [name: string, first: string, second: string, expected: string])[] = [
    ["other values", "7 100", "8 200", "8 200"],
    ["the same", "7 100", "7 100", "7 100"],
    ["none there", "7 100", "- -", "- -"],
    ["none here", "- -", "8 200", "8 200"],
    ["near miss: nothing has come by that link", "7 100", "", "7 100"],
  ];
  for (const [name, first, second, expected] of rows) {
    const test = createTestRelay({ links: 2 });
    const [na = "", rc = ""] = first.split(" ");
    const [otherNa = "", otherRc = ""] = second.split(" ");
    if (second !== "") test.receive(0, inContext(fromLease("RLC", 9), otherNa, otherRc), 1, 1);
    const [rel] = test.receive(0, inContext(fromLease(UNLISTED), na, rc));
    t.same(rel?.bytes, inContext(rel?.bytes ?? Buffer.alloc(0), na, rc), name);
    test.relay.disconnect(test.now, 0);
    const [again] = test.pass(RECOVERY);
    const [expectedNa = "", expectedRc = ""] = expected.split(" ");
    t.equal(again?.link, 1, name);
    t.same(again?.bytes, inContext(rel?.bytes ?? Buffer.alloc(0), expectedNa, expectedRc), name);
    t.same(test.faults, [], name);
  }
  t.end();
});

void t.test("what is outstanding ages out: no circuit is known for ever", (t) => {
  const rows: readonly (readonly [name: string, steps: readonly string[], minutes: number])[] = [
    ["no answer to the IAM at all", ["lease0 listed"], 5],
    ["no answer of the called party", ["lease0 listed", `core1 ${ACM}`], 30],
    ["no RLC", ["lease0 listed", `core1 ${ACM}`, "lease0 REL cause=16"], 15],
    ["no end of a call", ["lease0 listed", `core0 ${ANM}`], 12 * 60],
  ];
  for (const [name, steps, minutes] of rows) {
    const test = createTestRelay({ links: 2 });
    for (const step of steps) play(test, step);
    test.pass(minutes * 60_000 - 2000);
    t.equal(test.counters.ss7.calls, 1, `${name}: known before ${minutes} minutes`);
    test.pass(4000);
    t.equal(test.counters.ss7.calls, 0, `${name}: forgotten after ${minutes} minutes`);
    t.equal(test.events.filter(({ kind }) => kind === "ended").length, 1, `${name}: told once`);
  }
  const seized = createTestRelay({ links: 2 });
  play(seized, "lease0 unlisted");
  play(seized, "core1 listed");
  seized.pass(T5 + T1);
  t.equal(seized.counters.ss7.refusals, 0, "a refusal whose circuit the other exchange has seized");
  t.end();
});
