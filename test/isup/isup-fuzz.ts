import { Buffer } from "node:buffer";
import t from "tap";
import { encodeIsup, writeM3ua } from "../../pcaps/isup-text.ts";
import { T34 } from "../../src/isup/segmented-iams.ts";
import { createIsupMessage, readIsup } from "../../src/ss7/isup.ts";
import { createM3uaMessage, readM3ua, readProtocolData } from "../../src/ss7/m3ua.ts";
import { createMsu, isCallControl, readCircuit } from "../../src/ss7/mtp3.ts";
import { createRandom } from "../pcap/reading.ts";
import {
  CORE,
  createTestRelay,
  LEASE,
  LISTED,
  places,
  STRANGER,
  told,
  UNLISTED,
} from "../support/isup-relay.ts";

/** More in a long run. */
const rounds = Number(process.env["FUZZ_ROUNDS"] ?? 20_000);

const EMERGENCY = "IAM called=3:110 calling=3:1087654444";
const texts = [
  LISTED,
  UNLISTED,
  EMERGENCY,
  "IAM called=3:13800138000 calling=3:1087654321/restricted",
  "IAM called=3:13800138000",
  "REL cause=31",
  "REL cause=16",
  "RLC",
  "RLC",
  "RSC",
  "INF",
  "INF calling=3:1087654444",
  "SGM generic=3:95588",
  "SGM",
  "ANM",
  "hex 060000 00",
  "hex 020200020021",
  "hex 0501",
  "hex 1701020301",
  "hex 13",
  "hex 28010060",
];
/** The last address signals of the caller that has no contract: 87654444. */
const unlistedDigits = "78564444";

void t.test("storms on a few circuits: bounded, every IAM counted, no refused one let past", (t) => {
  const random = createRandom(20_261_003);
  const test = createTestRelay({ circuits: 24 });
  const { counters, decisions } = test;
  let iams = 0;
  let past = 0;
  let back = 0;
  let emergencies = 0;
  for (let round = 0; round < rounds; round++) {
    const text = texts[random(texts.length)] ?? LISTED;
    const side = random(3) === 0 ? 1 : 0;
    const [opc, dpc] = side === 0 ? [random(20) === 0 ? STRANGER : LEASE, CORE] : [CORE, LEASE];
    const cic = 1 + random(8);
    const bytes = writeM3ua({ opc, dpc, cic }, encodeIsup(text));
    const sent = test.receive(side, bytes, random(17));
    if (side === 0 && text.startsWith("IAM")) iams++;
    for (const unit of sent) {
      // Whatever a screened exchange sends comes out as it came, or not at all; only our own words go back.
      if (unit.to === 1 && side === 0 && told([unit])[0]?.includes("IAM") === true) {
        // An emergency call passes whoever calls.
        const isForged = unit.bytes.includes(unlistedDigits, 0, "hex");
        // The same octets once more are the call that was judged.
        const isEmergency = decisions.at(-1)?.rule === "emergency" || text === EMERGENCY;
        if (!unit.bytes.equals(bytes) || (isForged && !isEmergency)) past++;
        if (isForged) emergencies++;
      }
      if (unit.to === side && !/ (?:REL|RLC|IAM) /.test(told([unit])[0] ?? "")) back++;
    }
    if (random(50) === 0) test.pass(random(2) === 0 ? T34 : 400_000);
    if (random(500) === 0) {
      test.relay.disconnect(test.now, 0);
      test.relay.connect(0, places);
    }
    if (counters.ss7.refusals > 48 || counters.ss7.calls > 48) past++;
  }
  t.equal(past, 0, "IAMs of unlisted callers that passed");
  t.ok(emergencies > 0, "but emergency calls of theirs did");
  t.equal(back, 0);
  t.same(test.faults, []);
  t.equal(counters.faults, 0);
  const judged = decisions.filter(({ attempt }) => attempt.circuit !== undefined).length;
  t.ok(judged > rounds / 20, `${judged} decisions about ${iams} IAMs`);
  test.relay.disconnect(test.now, 0);
  t.same([counters.ss7.refusals, counters.ss7.calls], [0, 0], "nothing is left over");
  t.end();
});

void t.test("mutated messages: never thrown at; what passes as a call was judged as one", (t) => {
  const random = createRandom(4712);
  const test = createTestRelay({ circuits: 256 });
  const seeds = texts.map((text) => writeM3ua({ opc: LEASE, dpc: CORE, cic: 3 }, encodeIsup(text)));
  const message = createM3uaMessage();
  const msu = createMsu();
  const isup = createIsupMessage();
  let unjudged = 0;
  let lost = 0;
  for (let round = 0; round < rounds; round++) {
    const seed = seeds[random(seeds.length)] ?? Buffer.alloc(0);
    let bytes = Buffer.from(seed);
    for (let left = random(4); left >= 0; left--) bytes[random(bytes.length)] = random(256);
    if (random(5) === 0) bytes = bytes.subarray(0, random(bytes.length + 1));
    const judged = test.decisions.length;
    const { ss7 } = test.counters;
    const handled = (): number =>
      ss7.relayed +
      ss7.malformed +
      ss7.absorbed +
      ss7.stray +
      ss7.userPart +
      ss7.serviceIndicator +
      ss7.unknownRoute;
    const before = handled();
    const sent = test.receive(0, bytes);
    if (handled() === before && test.decisions.length === judged) lost++;
    for (const { to, bytes: out } of sent) {
      if (to !== 1 || !readM3ua(message, out, 0, out.length) || !readProtocolData(msu, message, out))
        continue;
      const start = isCallControl(msu) ? readCircuit(msu) : -1;
      if (start < 0 || out[start] !== 1) continue;
      // An IAM: it must be readable, and a decision must have let it go.
      if (!readIsup(isup, "itu", out, start, msu.end) || test.decisions.length === judged) unjudged++;
    }
    if (round % 200 === 0) {
      test.relay.disconnect(test.now, 0);
      test.relay.connect(0, places);
    }
  }
  t.equal(unjudged, 0);
  t.equal(lost, 0, "whatever came was sent on, judged, or counted");
  t.same(test.faults, []);
  t.end();
});
