import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import t from "tap";
import { createAttemptReader } from "../../src/replay/captured-attempts.ts";
import { createSignallingReader } from "../../src/replay/signalling.ts";
import { createIsupMessage, readIsup } from "../../src/ss7/isup.ts";
import { readParties } from "../../src/ss7/isup-identity.ts";
import { createLinkPayload, readM2pa, readM2ua, readMtp2 } from "../../src/ss7/mtp-link.ts";
import { createM3uaMessage, readM3ua, readProtocolData } from "../../src/ss7/m3ua.ts";
import { createMsu } from "../../src/ss7/mtp3.ts";
import { plainTrunk } from "../../src/cli/captures/plain-trunk.ts";
import { createRandom } from "../pcap/reading.ts";

const vectors = readFileSync("test/ss7/isup-iam-vectors.csv", "utf8")
  .split("\n")
  .flatMap((line) => /[0-9a-f]{36,}/.exec(line) ?? [])
  .map((hex) => Buffer.from(hex, "hex"));

/** More in a long run. */
const rounds = Number(process.env["FUZZ_ROUNDS"] ?? 20_000);

/** Changes some octets, and now and then the length. */
function mutate(bytes: Buffer, random: (below: number) => number): Buffer {
  const changed = Buffer.from(bytes);
  for (let n = random(6); n >= 0 && changed.length > 0; n--) changed[random(changed.length)] = random(256);
  return random(4) === 0 ? changed.subarray(0, random(changed.length + 1)) : changed;
}

void t.test("mutated IAMs: never thrown at, and every position lies inside the message", (t) => {
  const random = createRandom(4711);
  const message = createIsupMessage();
  let sound = 0;
  let outside = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = mutate(vectors[random(vectors.length)] ?? Buffer.alloc(0), random);
    const start = Math.min(2, bytes.length);
    if (!readIsup(message, random(2) === 0 ? "itu" : "ansi", bytes, start, bytes.length)) continue;
    sound++;
    const ends = [message.variableEnd, ...message.optionalEnd.subarray(0, message.optionalCount)];
    if (ends.some((end) => end > bytes.length)) outside++;
    for (let i = 0; i < message.optionalCount; i++)
      if (message.optionalStart[i]! > message.optionalEnd[i]!) outside++;
    const parties = readParties(message, plainTrunk.dialPlan);
    if (typeof parties !== "string" && parties.calling.length > 9) outside++;
  }
  t.equal(vectors.length, 19);
  t.ok(sound > rounds / 20, `${sound} could still be read`);
  t.ok(sound < rounds, "and some could not");
  t.equal(outside, 0);
  t.end();
});

void t.test("random and mutated octets on every layer: never thrown at, never out of bounds", (t) => {
  const random = createRandom(815);
  const m3ua = createM3uaMessage();
  const payload = createLinkPayload();
  const msu = createMsu();
  const seed = Buffer.from(
    `010001010000004000060008000000640210002f000a0b01000a0b0205020002${vectors[1]?.toString("hex")}00`,
    "hex",
  );
  let units = 0;
  let outside = 0;
  for (let round = 0; round < rounds; round++) {
    const bytes = mutate(seed, random);
    readM3ua(m3ua, bytes, 0, bytes.length);
    if (readProtocolData(msu, m3ua, bytes)) {
      units++;
      if (msu.start > msu.end || msu.end > bytes.length) outside++;
    }
    // The same octets pretend to be those of other layers.
    if (bytes.length > 3) [bytes[2], bytes[3]] = [random(2) === 0 ? 6 : 11, 1];
    const check = (isFound: boolean): void => {
      if (isFound && (payload.start >= payload.end || payload.end > bytes.length)) outside++;
    };
    check(readM2ua(payload, bytes, 0, bytes.length));
    check(readM2pa(payload, bytes, 0, bytes.length));
    check(readMtp2(payload, bytes, 0, bytes.length, random(2) === 0));
  }
  t.ok(units > rounds / 4, `${units} units`);
  t.equal(outside, 0);
  t.end();
});

void t.test("mutated captures of SS7: never thrown at", (t) => {
  const random = createRandom(42);
  let attempts = 0;
  let malformed = 0;
  const count = (): void => void attempts++;
  for (const name of ["isup-callers.pcap", "isup-circuits.pcap"]) {
    const file = readFileSync(`pcaps/${name}`);
    for (let round = 0; round < rounds / 200; round++) {
      const changed = Buffer.from(file);
      for (let n = 0; n < 40; n++) changed[24 + random(file.length - 24)] = random(256);
      const reader = createSignallingReader(
        createAttemptReader({ invite: count, iam: count, malformed: () => void malformed++ }),
      );
      reader.push(changed);
      reader.end();
    }
  }
  t.ok(attempts > 0 && malformed > 0, `${attempts} attempts, ${malformed} malformed`);
  t.end();
});
