// Which messages may enter by their label: point codes, circuits, networks and users of MTP3.
import { Buffer } from "node:buffer";
import t from "tap";
import { encodeIsup, writeM3ua } from "../../pcaps/isup-text.ts";
import {
  CORE,
  createTestRelay,
  isupPolicy,
  LEASE,
  LISTED,
  STRANGER,
  told,
  UNLISTED,
} from "../support/isup-relay.ts";
import { compileText } from "../support/proxy.ts";

const lists = { "bank.csv": "number\n+861087654300..+861087654399\n" };
const policyWith = (match: string, more = ""): ReturnType<typeof compileText> =>
  compileText(isupPolicy.replace(`opc: [${LEASE}], dpc: [${CORE}] }`, `${match} }${more}`), lists);

/** A message of any user: the octets behind the label. */
function unit(
  label: { opc: number; dpc: number; cic?: number; ni?: number; si?: number },
  text: string,
): Buffer {
  const bytes = writeM3ua({ cic: 2, ...label }, encodeIsup(text));
  const at = bytes.indexOf(Buffer.from("0210", "hex"), 8);
  if (label.ni !== undefined) bytes[at + 13] = label.ni;
  if (label.si !== undefined) bytes[at + 12] = label.si;
  return bytes;
}

/** The same with a network appearance in front. */
function inNetwork(appearance: number, bytes: Buffer): Buffer {
  const parameter = Buffer.from("0200000800000000", "hex");
  parameter.writeUInt32BE(appearance, 4);
  const whole = Buffer.concat([bytes.subarray(0, 8), parameter, bytes.subarray(8)]);
  whole.writeUInt32BE(whole.length, 4);
  return whole;
}

const messages = [
  "hex 060000 00",
  "REL cause=31",
  "RSC",
  "hex 17010203ff",
  "hex 18000102010f",
  "hex 13",
  "RLC",
  "ANM",
];

void t.test("a point code of no trunk: every message is refused, whatever it says", (t) => {
  for (const text of messages) {
    const test = createTestRelay();
    test.lease(LISTED);
    const sent = told(test.receive(0, unit({ opc: STRANGER, dpc: CORE }, text)));
    t.same(
      sent.filter((line) => line.startsWith("1 ")),
      [],
      text,
    );
    t.equal(test.counters.ss7.unknownRoute, 1, text);
    t.same(told(test.core("hex 060000 00")), ["0 ACM 900>11-2"], "and touches no call");
  }
  t.end();
});

void t.test("an IAM of an unknown point code: REL where one exchange stands behind the link", (t) => {
  const iam = unit({ opc: STRANGER, dpc: CORE }, LISTED);
  const adjacent = createTestRelay();
  t.same(told(adjacent.receive(0, iam)), ["0 REL 21 900>77-2"]);
  t.same(told(adjacent.receive(0, unit({ opc: STRANGER, dpc: CORE }, "REL cause=31"))), ["0 RLC 900>77-2"]);
  t.same(told(adjacent.pass(400_000)), [], "REL is not repeated: nothing of it is kept");
  t.same(
    told(adjacent.receive(0, unit({ opc: LEASE, dpc: STRANGER }, LISTED))),
    ["0 REL 21 77>11-2"],
    "to nobody",
  );
  const transfer = createTestRelay({ policy: policyWith(`opc: [${LEASE}, 12]`) });
  t.same(told(transfer.receive(0, iam)), [], "several exchanges stand there: nobody knows which one to tell");
  t.equal(transfer.counters.ss7.unknownRoute, 1);
  t.end();
});

void t.test("the log names the point code, once a minute", (t) => {
  const test = createTestRelay();
  for (let i = 0; i < 5; i++) test.receive(0, unit({ opc: STRANGER, dpc: CORE }, "RSC"));
  t.same(test.alarms, [
    "sctp:192.0.2.1:2905: messages from point code 77 to 900 are refused: no trunk may send them, circuit 2",
  ]);
  test.pass(60_000);
  test.receive(0, unit({ opc: STRANGER, dpc: CORE, si: 3 }, "RSC"));
  t.match(test.alarms.at(-1), /point code 77 .*\(4 since the last line\)$/);
  for (let opc = 1000; opc < 2000; opc++) test.receive(0, unit({ opc, dpc: CORE }, "RSC"));
  t.ok(test.alarms.length <= 70, "a flood of point codes is no flood of lines");
  t.equal(test.counters.ss7.unknownRoute, 1006);
  t.end();
});

void t.test("trunks of one pair of exchanges are told apart by circuit, network and appearance", (t) => {
  const rows: readonly (readonly [match: string, bytes: Buffer, isPassed: boolean])[] = [
    [`opc: [${LEASE}], cic: ["1-30"]`, unit({ opc: LEASE, dpc: CORE, cic: 30 }, LISTED), true],
    [`opc: [${LEASE}], cic: ["1-30"]`, unit({ opc: LEASE, dpc: CORE, cic: 31 }, LISTED), false],
    [`opc: [${LEASE}], cic: ["1-30"]`, unit({ opc: LEASE, dpc: CORE, cic: 31 }, "REL cause=16"), false],
    [`opc: [${LEASE}], cic: ["1-31"]`, unit({ opc: LEASE, dpc: CORE, cic: 1 }, "hex 1701021e00000000"), true],
    [
      `opc: [${LEASE}], cic: ["1-30"]`,
      unit({ opc: LEASE, dpc: CORE, cic: 1 }, "hex 1701021e00000000"),
      false,
    ],
    [`opc: [${LEASE}], cic: ["1-30"]`, unit({ opc: LEASE, dpc: CORE, cic: 30 }, "hex 1800010201 01"), false],
    [`opc: [${LEASE}], ni: 2`, unit({ opc: LEASE, dpc: CORE, ni: 2 }, LISTED), true],
    [`opc: [${LEASE}], ni: 2`, unit({ opc: LEASE, dpc: CORE, ni: 0 }, LISTED), false],
    [`opc: [${LEASE}], networkAppearance: 7`, inNetwork(7, unit({ opc: LEASE, dpc: CORE }, LISTED)), true],
    [`opc: [${LEASE}], networkAppearance: 7`, inNetwork(8, unit({ opc: LEASE, dpc: CORE }, LISTED)), false],
    [`opc: [${LEASE}], networkAppearance: 7`, unit({ opc: LEASE, dpc: CORE }, LISTED), false],
  ];
  for (const [match, bytes, isPassed] of rows) {
    const test = createTestRelay({ policy: policyWith(match) });
    const sent = test.receive(0, bytes);
    t.equal(
      sent.filter(({ to }) => to === 1).length,
      isPassed ? 1 : 0,
      `${match}: ${told([{ to: 0, stream: 0, bytes }])[0]}`,
    );
  }
  t.end();
});

/** Two trunks of one exchange by their network appearances; the second one may be left out. */
function trunksBy(first: string, second: string): ReturnType<typeof compileText> {
  const lease = /^ {2}- \{ id: lease.*$/m.exec(isupPolicy)?.[0] ?? "";
  const [one, other] = [first, second].map((appearance, index) =>
    lease
      .replace("id: lease", `id: lease-${index}`)
      .replace(`opc: [${LEASE}]`, `opc: [${LEASE}], networkAppearance: ${appearance}`),
  );
  return compileText(isupPolicy.replace(lease, second === "" ? `${one}` : `${one}\n${other}`), lists);
}

void t.test("circuits of two networks are told apart where the trunks tell them apart", (t) => {
  const iam = (text: string): Buffer => unit({ opc: LEASE, dpc: CORE }, text);
  const acm = unit({ opc: CORE, dpc: LEASE }, "hex 060000 00");
  const test = createTestRelay({ policy: trunksBy("7", "[8, 9]") });
  test.receive(0, inNetwork(7, iam(LISTED)));
  t.same(
    told(test.receive(0, inNetwork(8, iam(UNLISTED)))),
    ["0 REL 21 900>11-2"],
    "a call of network 7 goes on",
  );
  t.same(test.receive(0, inNetwork(9, unit({ opc: LEASE, dpc: CORE }, "RLC"))), [], "9 is the same as 8");
  test.receive(1, inNetwork(7, acm));
  t.same([test.counters.ss7.calls, test.counters.ss7.refusals], [1, 0]);
  const one = createTestRelay({ policy: trunksBy("7", "") });
  one.receive(0, inNetwork(7, iam(LISTED)));
  one.receive(1, acm);
  one.pass(6 * 60_000);
  t.equal(one.counters.ss7.calls, 1, "one network: the core may leave the appearance out");
  t.end();
});

void t.test("users of MTP3: what the trunk says, ISUP and BICC when it says nothing", (t) => {
  for (const [more, si, isPassed] of [
    ["", 5, true],
    ["", 3, false],
    ["", 0, false],
    [", ss7: { serviceIndicators: [3, 5] }", 3, true],
    [", ss7: { serviceIndicators: [3, 5] }", 0, false],
    [", ss7: { serviceIndicators: [0] }", 0, true],
    [", ss7: { serviceIndicators: [0] }", 5, false],
    ["", 4, false],
  ] as const) {
    const test = createTestRelay({ policy: policyWith(`opc: [${LEASE}]`, more) });
    t.equal(
      test.receive(0, unit({ opc: LEASE, dpc: CORE, si }, "RSC")).length,
      isPassed ? 1 : 0,
      `SI ${si}${more}`,
    );
  }
  const sccp = createTestRelay();
  for (let i = 0; i < 3; i++) sccp.receive(0, unit({ opc: LEASE, dpc: CORE, si: 3 }, "RSC"));
  t.same(sccp.alarms, [
    "sctp:192.0.2.1:2905: messages of service indicator 3 from point code 11 to 900 are refused: its trunk lease may not send them",
  ]);
  const wider = createTestRelay({
    policy: policyWith("dpc: [900]", ", ss7: { originatingPointCodes: [11, 12] }"),
  });
  t.equal(wider.receive(0, unit({ opc: 12, dpc: CORE }, "RSC")).length, 1);
  t.equal(wider.receive(0, unit({ opc: 13, dpc: CORE }, "RSC")).length, 0);
  t.end();
});

void t.test("unknown classes, types and versions: ERR goes back, a few at a time", (t) => {
  const test = createTestRelay();
  for (const [hex, code] of [
    ["0100060100000008", 3],
    ["0100ff0100000008", 3],
    ["0100010200000008", 4],
    ["0100030900000008", 4],
    ["0200010100000008", 1],
  ] as const) {
    const bytes = Buffer.from(hex, "hex");
    const [sent, ...more] = test.receive(0, bytes);
    t.same(more, []);
    t.equal(sent?.to, 0);
    t.equal(sent?.bytes.toString("hex"), `010000000000001c000c00080000000${code}0007000c${hex}`, hex);
  }
  t.equal(test.receive(0, Buffer.from("010006", "hex")).length, 0, "what is no message at all has no answer");
  test.pass(1000);
  let answers = 0;
  for (let i = 0; i < 1000; i++) answers += test.receive(0, Buffer.from("0100060100000008", "hex")).length;
  t.equal(answers, 10);
  t.end();
});

/** A subsequent directory number with these octets of digits (Q.763 table 52). */
const sdm = (digits: string): string =>
  `hex 430105${(digits.length / 2 + 1).toString(16).padStart(2, "0")}00${digits}00`;

void t.test("SDM: digits behind an emergency number are judged as those of SAM", (t) => {
  const test = createTestRelay();
  t.same(told(test.lease("IAM called=3:110 calling=3:1087654444")), ["1 IAM 11>900-2"]);
  t.same(told(test.lease(sdm("3108"))), ["1 REL 21 11>900-2", "0 REL 21 900>11-2"], "1101380… is none");
  const listed = createTestRelay();
  listed.lease(LISTED);
  t.same(told(listed.lease(sdm("3108"))), ["1 43 11>900-2"], "more digits of a listed caller");
  t.same(told(listed.lease("hex 4300")), ["1 43 11>900-2"], "and none");
  t.same(told(createTestRelay().lease(sdm("3108"))), [], "of a call that nobody knows");
  t.end();
});

void t.test("each link has its own layout, cause and location", (t) => {
  const unended = `hex ${encodeIsup(LISTED).subarray(0, -1).toString("hex")}`;
  t.match(told(createTestRelay().lease(unended)), [/REL/], "the end of optional parameters is demanded");
  const lenient = createTestRelay({ form: { endMayBeMissing: true } });
  t.same(told(lenient.lease(unended)), ["1 IAM 11>900-2"]);
  t.match(told(lenient.lease(`${unended}0a`, 3)), [/REL/], "near miss: half a parameter");
  const own = createTestRelay({ form: { releaseCause: 55, releaseLocation: "public-local" } });
  const [rel] = own.lease(UNLISTED);
  t.equal(rel?.bytes.subarray(34, 40).toString("hex"), "0c02000282b7");
  t.end();
});

void t.test("REL carries the circuit as it came, spare bits too", (t) => {
  const test = createTestRelay();
  const iam = unit({ opc: LEASE, dpc: CORE }, UNLISTED);
  iam[33] = 0xa0;
  const [rel] = test.receive(0, iam);
  t.equal(rel?.bytes.subarray(32, 34).toString("hex"), "02a0");
  t.end();
});
