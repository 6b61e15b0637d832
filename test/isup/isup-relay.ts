import { Buffer } from "node:buffer";
import t from "tap";
import { encodeIsup } from "../../pcaps/isup-text.ts";
import { T34 } from "../../src/isup/segmented-iams.ts";
import { T1, T17, T5 } from "../../src/isup/circuit-release.ts";
import {
  CORE,
  createTestRelay,
  fromCore,
  fromLease,
  LEASE,
  LISTED,
  told,
  UNLISTED,
  isupPolicy,
} from "../support/isup-relay.ts";
import { compileText } from "../support/proxy.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");

/** M3UA messages that are no business of a filter: ASPUP, its acknowledgement, ASPAC, BEAT, NTFY, DAVA, SCON, REG REQ. */
const management = [
  "0100030100000008",
  "0100030400000008",
  "01000401000000100006000800000064",
  "0100030300000010000900080badcafe",
  "0100000100000010000d000800010002",
  "010002020000001000120008000003e8",
  "010002040000001000120008000003e8",
  "0100090100000008",
];

void t.test("management goes through as it came, on its stream, both ways", (t) => {
  const test = createTestRelay();
  for (const text of management) {
    for (const side of [0, 1] as const) {
      const [sent, ...more] = test.receive(side, hex(text), 7);
      t.same(sent, { to: side === 0 ? 1 : 0, stream: 7, bytes: hex(text) });
      t.same(more, []);
    }
  }
  t.end();
});

void t.test("an allowed call goes through octet for octet, from IAM to RLC", (t) => {
  const test = createTestRelay();
  const call: readonly (readonly [side: 0 | 1, text: string])[] = [
    [0, LISTED],
    [1, "hex 060000 00"],
    [1, "hex 090000"],
    [0, "REL cause=16"],
    [1, "RLC"],
  ];
  for (const [side, text] of call) {
    const bytes = side === 0 ? fromLease(text) : fromCore(text);
    t.same(test.receive(side, bytes, 3), [{ to: side === 0 ? 1 : 0, stream: 3, bytes }]);
  }
  t.equal(test.counters.ss7.calls, 0, "nothing is left of it");
  t.same(
    test.decisions.map(({ verdict }) => verdict.reason),
    ["listed"],
  );
  t.end();
});

void t.test("a refused IAM: REL to its sender, nothing to the other side", (t) => {
  const test = createTestRelay();
  // Vector of the protocol reference: IAM B with OPC 10-11-1, DPC 10-11-2, routing context 100, and the REL that refuses it.
  const policy = compileText(
    isupPolicy.replace(`opc: [${LEASE}], dpc: [${CORE}]`, 'opc: ["24:10-11-1"], dpc: ["24:10-11-2"]'),
    { "bank.csv": "number\n+861087654300\n" },
  );
  const iam = hex(
    "010001010000004000060008000000640210002f000a0b01000a0b02050200020200010061010a03020b090410683108108300f00a0804136801785634120000",
  );
  const rel = hex("0100010100000028000600080000006402100018000a0b02000a0b010502000202000c0200028395");
  t.same(createTestRelay({ policy }).receive(0, iam, 5), [{ to: 0, stream: 5, bytes: rel }]);

  t.same(told(test.lease(UNLISTED)), ["0 REL 21 900>11-2"]);
  for (const text of ["hex 020200020021", "hex 0501", "INF", "SGM", "hex 060000 00", UNLISTED])
    t.same(told(test.lease(text)), [], `absorbed: ${text}`);
  t.same(told(test.lease("RLC")), [], "RLC ends it, and goes no further");
  t.equal(test.counters.ss7.refusals, 0);
  t.same(told(test.lease(LISTED)), ["1 IAM 11>900-2"], "the circuit is idle again");
  t.end();
});

void t.test("other circuits, the other way and maintenance go on meanwhile", (t) => {
  const test = createTestRelay();
  test.lease(UNLISTED, 2);
  t.same(told(test.lease(LISTED, 3)), ["1 IAM 11>900-3"]);
  t.same(told(test.core(LISTED, 4)), ["0 IAM 900>11-4"]);
  for (const text of ["hex 13", "hex 2a"]) t.equal(test.lease(text, 2)[0]?.to, 1, text);
  t.end();
});

void t.test("collision: REL is answered with RLC, and the RLC to ours is still awaited", (t) => {
  const test = createTestRelay();
  test.lease(UNLISTED);
  t.same(told(test.lease("REL cause=31")), ["0 RLC 900>11-2"]);
  t.equal(test.counters.ss7.refusals, 1);
  t.same(told(test.lease("RLC")), []);
  t.equal(test.counters.ss7.refusals, 0);
  t.same(told(test.lease("RLC")), ["1 RLC 11>900-2"], "a second one is nobody's");
  t.end();
});

void t.test("T1 repeats REL, T5 resets the circuit and says so, T17 repeats that", (t) => {
  const test = createTestRelay();
  test.lease(UNLISTED);
  t.same(told(test.pass(T1 - 1000)), []);
  t.same(told(test.pass(1000)), ["0 REL 21 900>11-2"]);
  const repeated = told(test.pass(T5 - T1 - 1000));
  t.equal(repeated.length, T5 / T1 - 2);
  t.ok(repeated.every((line) => line === "0 REL 21 900>11-2"));
  t.same(test.alarms, []);
  t.same(told(test.pass(1000)), ["0 RSC 900>11-2"]);
  t.equal(test.alarms.length, 1);
  t.equal(test.counters.ss7.unanswered, 1);
  t.same(told(test.pass(T17 - 1000)), []);
  t.same(told(test.pass(1000)), ["0 RSC 900>11-2"]);
  t.equal(test.alarms.length, 1, "once is enough");
  t.same(told(test.lease("RLC")), [], "its RLC is absorbed");
  t.same(told(test.pass(T17 * 2)), []);
  t.end();
});

void t.test("an exchange that answers nothing writes no flood of lines", (t) => {
  const test = createTestRelay();
  for (let cic = 1; cic <= 500; cic++) test.lease(UNLISTED, cic);
  test.pass(T5 + T1);
  t.equal(test.alarms.length, 20);
  test.lease(UNLISTED, 501);
  test.pass(T5 + T1);
  t.match(test.alarms.slice(20), [/^480 more circuits/, /^circuit 11 900 501 /]);
  t.equal(test.counters.ss7.unanswered, 501);
  t.end();
});

void t.test("RSC and GRS end the refusal and go on", (t) => {
  for (const [text, cics] of [
    ["RSC", [2]],
    ["hex 170102031f", [2, 5]],
  ] as const) {
    const test = createTestRelay();
    for (const cic of cics) test.lease(UNLISTED, cic);
    test.lease(UNLISTED, 6);
    t.equal(test.counters.ss7.refusals, cics.length + 1);
    t.same(told(test.lease(text)).length, 1, text);
    t.equal(test.counters.ss7.refusals, 1, "circuits outside are left alone");
    t.same(told(test.lease("RLC", 6)), []);
    t.same(told(test.pass(T5)), []);
  }
  t.end();
});

void t.test("DUNA, ASPDN and a lost association forget refusals", (t) => {
  const duna = (code: string): Buffer => hex(`010002010000001000120008${code}`);
  const cases: readonly (readonly [name: string, bytes: Buffer, left: number])[] = [
    ["DUNA of the lessee", duna("0000000b"), 0],
    ["DUNA of another", duna("00000063"), 1],
    ["DUNA of a range", duna("08000000"), 0],
    ["DUNA with a length that lies", hex("01000201000000100012ffff0000000b"), 0],
    ["ASPDN", hex("0100030200000008"), 0],
    ["ASPDN ACK", hex("0100030500000008"), 0],
    ["DAVA", hex("0100020200000010001200080000000b"), 1],
  ];
  for (const [name, bytes, left] of cases) {
    const test = createTestRelay();
    test.lease(UNLISTED);
    t.equal(test.receive(0, bytes).length, 1, `${name} goes on`);
    t.equal(test.counters.ss7.refusals, left, name);
  }
  const test = createTestRelay();
  test.lease(UNLISTED);
  test.lease(LISTED, 5);
  test.relay.disconnect(test.now, 0);
  t.same([test.counters.ss7.refusals, test.counters.ss7.calls], [0, 0]);
  t.same(told(test.pass(T5)), []);
  t.end();
});

void t.test("dual seizure, the other exchange has the circuit: ours gives way, no REL", (t) => {
  // Even circuits are the exchange's with the higher point code: the core's.
  const test = createTestRelay();
  t.same(told(test.core(LISTED, 2)), ["0 IAM 900>11-2"]);
  t.same(told(test.lease(UNLISTED, 2)), []);
  t.same(told(test.lease("hex 020200020021", 2)), [], "what followed the lost IAM is lost too");
  t.same(told(test.lease("hex 060000 00", 2)), ["1 ACM 11>900-2"], "it takes the other call");
  t.equal(test.counters.ss7.refusals, 0);
  t.equal(test.counters.ss7.dualSeizures, 1);
  t.same(told(test.pass(T5)), []);
  t.end();
});

void t.test(
  "dual seizure, the refused exchange has the circuit: released, then the other call again",
  (t) => {
    const test = createTestRelay();
    const other = fromCore(LISTED, 3);
    test.receive(1, other, 9);
    t.same(told(test.lease(UNLISTED, 3)), ["0 REL 21 900>11-3"]);
    t.same(test.lease("RLC", 3), [{ to: 0, stream: 9, bytes: other }], "the IAM that was passed over");
    t.same(told(test.lease("hex 060000 00", 3)), ["1 ACM 11>900-3"]);
    t.end();
  },
);

void t.test("dual seizure: a call that was given up meanwhile is not tried again", (t) => {
  const test = createTestRelay();
  test.core(LISTED, 3);
  test.lease(UNLISTED, 3);
  t.same(told(test.core("REL cause=31", 3)), ["0 REL 31 900>11-3"]);
  t.same(told(test.lease("RLC", 3)), [], "the first RLC answers our REL");
  t.same(told(test.lease("RLC", 3)), ["1 RLC 11>900-3"], "the second one theirs");
  t.end();
});

void t.test("dual seizure of two allowed calls is the exchanges' business", (t) => {
  const test = createTestRelay();
  t.same(told(test.core(LISTED, 2)), ["0 IAM 900>11-2"]);
  t.same(told(test.lease(LISTED, 2)), ["1 IAM 11>900-2"]);
  t.equal(test.counters.ss7.dualSeizures, 0);
  t.end();
});

void t.test(
  "a circuit that the other exchange seizes while it is released: no repeat kills its call",
  (t) => {
    const test = createTestRelay();
    test.lease(UNLISTED);
    t.same(told(test.core(LISTED)), ["0 IAM 900>11-2"]);
    t.same(told(test.pass(T5)), []);
    t.same(told(test.lease("RLC")), []);
    t.same(told(test.lease("hex 060000 00")), ["1 ACM 11>900-2"]);
    t.end();
  },
);

/** An IAM with optional forward call indicators: simple segmentation (Q.763 section 3.38). */
function announce(calling: string): string {
  const plain = encodeIsup(`IAM called=3:13800138000 calling=3:${calling}`);
  return `hex ${Buffer.concat([plain.subarray(0, -1), hex("080104"), hex("00")]).toString("hex")}`;
}

void t.test("a segmented IAM waits for its segment; both are judged as one", (t) => {
  const cases: readonly (readonly [name: string, iam: string, next: string, expected: readonly string[]])[] =
    [
      [
        "both listed",
        announce("1087654321"),
        "SGM generic=3:1087654322",
        ["1 IAM 11>900-2", "1 SGM 11>900-2"],
      ],
      ["an empty segment", announce("1087654321"), "SGM", ["1 IAM 11>900-2", "1 SGM 11>900-2"]],
      ["a forged generic number", announce("1087654321"), "SGM generic=3:95588", ["0 REL 21 900>11-2"]],
      ["an unlisted caller", announce("1087654444"), "SGM", ["0 REL 21 900>11-2"]],
      ["a segment that lies", announce("1087654321"), "hex 3801c0ff06", ["0 REL 21 900>11-2"]],
      ["COT instead", announce("1087654321"), "hex 0501", ["1 IAM 11>900-2", "1 COT 11>900-2"]],
      ["COT instead, unlisted", announce("1087654444"), "hex 0501", ["0 REL 21 900>11-2"]],
      ["REL instead", announce("1087654321"), "REL cause=31", ["0 RLC 900>11-2"]],
      ["RSC instead", announce("1087654321"), "RSC", ["1 RSC 11>900-2"]],
    ];
  for (const [name, iam, next, expected] of cases) {
    const test = createTestRelay();
    t.same(told(test.lease(iam)), [], `${name}: held`);
    t.same(told(test.lease(next)), expected, name);
    t.same(told(test.pass(T34)), [], "and nothing later");
  }
  const test = createTestRelay();
  test.lease(announce("1087654321"));
  t.same(told(test.lease(announce("1087654321"))), [], "the same IAM again is none");
  t.same(told(test.pass(T34 - 1000)), []);
  t.same(told(test.pass(1000)), ["1 IAM 11>900-2"], "T34: there will be no segment");
  t.same(told(test.lease("SGM generic=3:1087654322")), ["1 SGM 11>900-2"], "late, and harmless");
  t.same(
    told(test.lease("SGM generic=3:95588")),
    ["1 REL 21 11>900-2", "0 REL 21 900>11-2"],
    "late, and forged: the call ends for both",
  );
  t.end();
});

const irs = (text: string): string => {
  const sgm = encodeIsup(`SGM ${text}`);
  return `hex 37${sgm.subarray(1).toString("hex")}`;
};

void t.test("callers that are named behind the IAM: INF and IRS", (t) => {
  for (const [text, isPassed] of [
    ["INF", true],
    ["INF calling=3:1087654321", true],
    ["INF generic=3:1087654322", true],
    ["INF calling=3:1087654322", false],
    ["INF calling=3:1087654444", false],
    ["INF calling=3:1087654321/restricted", false],
    [irs("calling=3:1087654321"), true],
    [irs("generic=3:95588"), false],
    ["hex 04000001ff", false],
  ] as const) {
    const test = createTestRelay();
    test.lease(LISTED);
    const sent = told(test.lease(text));
    if (isPassed) t.match(sent, [/^1 (?:INF|IRS) /], text);
    else {
      t.same(sent, ["1 REL 21 11>900-2", "0 REL 21 900>11-2"], text);
      t.same(told(test.core("RLC")), [], "both RLC are absorbed");
      t.same(told(test.lease("RLC")), []);
      t.equal(test.counters.ss7.refusals, 0);
    }
  }
  const test = createTestRelay();
  test.core(LISTED);
  t.equal(test.lease("INF calling=3:1087654444").length, 1, "the called side's INF names no caller of ours");
  const unknown = createTestRelay();
  t.same(
    told(unknown.lease("INF calling=3:1087654444")),
    ["1 REL 21 11>900-2", "0 REL 21 900>11-2"],
    "of a call that nobody knows",
  );
  t.end();
});

void t.test("overlap: more digits pass, but not behind an emergency number", (t) => {
  const test = createTestRelay();
  test.lease(LISTED);
  t.same(told(test.lease("hex 020200020021")), ["1 SAM 11>900-2"]);
  t.same(told(test.lease("hex 020200020021", 9)), [], "digits of a call that nobody knows");
  t.equal(test.counters.ss7.stray, 1);

  const emergency = createTestRelay();
  t.same(told(emergency.lease("IAM called=3:110 calling=3:1087654444")), ["1 IAM 11>900-2"]);
  t.same(
    told(emergency.lease("hex 0202000300 3108")),
    ["1 REL 21 11>900-2", "0 REL 21 900>11-2"],
    "1101380… is none",
  );
  const ended = createTestRelay();
  ended.lease("IAM called=3:110 calling=3:1087654444");
  t.same(told(ended.lease("hex 02020002800f")), ["1 SAM 11>900-2"], "only the end of pulsing");
  t.end();
});

void t.test("user parts: a lessee sends ISUP and BICC, the core what it likes", (t) => {
  const test = createTestRelay();
  for (const [si, side, isPassed] of [
    [0, 0, false],
    [3, 0, false],
    [3, 1, true],
    [4, 0, false],
    [9, 0, false],
    [10, 0, false],
    [4, 1, true],
  ] as const) {
    const bytes = Buffer.from(side === 0 ? fromLease("hex 11ff") : fromCore("hex 11ff"));
    bytes[28] = si;
    t.equal(test.receive(side, bytes).length, isPassed ? 1 : 0, `service indicator ${si}`);
  }
  t.equal(test.counters.ss7.userPart, 3, "TUP, and what is spare");
  t.equal(test.counters.ss7.serviceIndicator, 2, "SCCP, and network management");
  t.end();
});

void t.test("what can't be read alike by everybody goes nowhere", (t) => {
  const good = fromLease(LISTED);
  const cut = (length: number): Buffer => good.subarray(0, length);
  const patched = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at] = value;
    return bytes;
  };
  const cases: readonly (readonly [name: string, bytes: Buffer])[] = [
    ["nothing", Buffer.alloc(0)],
    ["half a header", cut(5)],
    ["shorter than it says", cut(good.length - 4)],
    ["longer than it says", Buffer.concat([good, Buffer.alloc(8)])],
    ["version 2", patched(0, 2)],
    ["a class of another layer", patched(2, 6)],
    ["an unknown transfer message", patched(3, 2)],
    ["the draft's protocol data", Buffer.concat([good.subarray(0, 16), hex("0002"), good.subarray(18)])],
    ["a parameter that ends past the message", patched(18, 0xff)],
  ];
  const test = createTestRelay();
  for (const [name, bytes] of cases) {
    const sent = test.receive(0, bytes);
    t.ok(
      sent.every(
        ({ to, bytes: [version, , messageClass, type] }) =>
          to === 0 && version === 1 && messageClass === 0 && type === 0,
      ),
      `${name}: nothing but ERR, and that to its sender`,
    );
  }
  t.equal(test.counters.ss7.malformed, cases.length);
  t.same(test.faults, []);
  // An IAM that can't be read has a circuit to be refused on.
  t.same(told(test.lease("hex 010060010a00ff0a0883")), ["0 REL 21 900>11-2"]);
  t.same(test.decisions.at(-1)?.verdict.reason, "isup-undecodable");
  t.end();
});

void t.test("a second IAM on a circuit in use: refused, and the first call ends too", (t) => {
  const test = createTestRelay();
  test.lease(LISTED);
  t.same(told(test.lease(UNLISTED)), ["1 REL 21 11>900-2", "0 REL 21 900>11-2"]);
  t.end();
});

void t.test("full table: calls in progress make room, refusals don't, and REL is sent all the same", (t) => {
  const test = createTestRelay({ circuits: 4 });
  for (let cic = 1; cic <= 8; cic++) t.equal(test.lease(LISTED, cic)[0]?.to, 1);
  t.equal(test.counters.ss7.calls, 4);
  for (let cic = 11; cic <= 18; cic++) t.same(told(test.lease(UNLISTED, cic)), [`0 REL 21 900>11-${cic}`]);
  t.equal(test.counters.ss7.refusals, 4);
  t.equal(test.counters.ss7.circuitsFull, 4);
  t.end();
});

void t.test("draining: new calls are refused for congestion, what is in progress passes", (t) => {
  const test = createTestRelay();
  test.lease(LISTED, 3);
  test.overload.drain();
  t.same(told(test.lease(LISTED)), ["0 REL 42 900>11-2"]);
  t.same(told(test.core("hex 060000 00", 3)), ["0 ACM 900>11-3"]);
  t.end();
});
