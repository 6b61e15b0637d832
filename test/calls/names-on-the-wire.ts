import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import t from "tap";
import { formatCallId, nextName, parseCallId } from "../../src/calls/call-id.ts";
import { CALL_TAG_LENGTH, createCallTags } from "../../src/calls/call-tag.ts";
import { createKeyedTags } from "../../src/sip/tag.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });
const key = createKeyedTags(Buffer.alloc(32, 7));
const tags = createCallTags(key, "gw-a");
const TWEAK = "0123456789abcdef";

void t.test("ids: NODE-EPOCH-COUNT", (t) => {
  t.equal(formatCallId("gw-a", { epoch: 1_790_000_000, count: 1042 }), "gw-a-tlpwu8-1042");
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), word, word, (node, epoch, count) => {
      t.same(parseCallId(formatCallId(node, { epoch, count })), { node, name: { epoch, count } });
    }),
    { numRuns: 300 },
  );
  for (const text of [
    "",
    "-",
    "--",
    "gw",
    "gw-1",
    "-1-1",
    "gw-1-",
    "gw--1",
    "gw-1-01",
    "gw-01-1",
    "gw-A-1",
    "gw-1-1e3",
    "gw-1-0x1",
    "gw-1-4294967296",
    "gw-1z141z4-1",
    "gw-1- 1",
    "gw-1.5-1",
    "gw-1-1 ",
  ])
    t.equal(parseCallId(text), undefined, `"${text}" is no id`);
  t.same(parseCallId("gw-1z141z3-4294967295")?.name, { epoch: 0xffffffff, count: 0xffffffff });
  t.end();
});

void t.test("ids: counts begin at 1, and anew under the next epoch", (t) => {
  const name = { epoch: 36, count: 0 };
  nextName(name);
  t.same(name, { epoch: 36, count: 1 });
  name.count = 0xfffffffe;
  nextName(name);
  t.same(name, { epoch: 36, count: 0xffffffff });
  nextName(name);
  t.same(name, { epoch: 37, count: 1 });
  t.end();
});

void t.test("tags: vectors, so that two releases read each other's", (t) => {
  // Made by another program, from the description alone.
  const rows: readonly (readonly [number, number, string, string])[] = [
    [0, 0, "", "BvSAZ3oze1Wszrp9"],
    [0x6ab13b80, 1, "", "BvSAZzzMu1GrZltb"],
    [0x6ab13b80, 1, TWEAK, "BvSAZ4HDDHP3r5bc"],
    [0x6ab13b80, 2, TWEAK, "BvSAZ4Y-c0Aew6Am"],
    [0xffffffff, 0xffffffff, "fedcba9876543210", "BvSAZ6VVygGef1Jj"],
  ];
  for (const [epoch, count, tweak, written] of rows)
    t.equal(tags.write({ epoch, count }, tweak), written, `${epoch} ${count} "${tweak}"`);
  t.end();
});

void t.test("tags: what is written is read, by every node that shares the key", (t) => {
  const other = createCallTags(createKeyedTags(Buffer.alloc(32, 7)), "gw-b");
  const stranger = createCallTags(createKeyedTags(Buffer.alloc(32, 8)), "gw-a");
  fc.assert(
    fc.property(word, word, fc.string({ maxLength: 40 }), (epoch, count, tweak) => {
      const name = { epoch, count };
      const text = tags.write(name, tweak);
      t.equal(text.length, CALL_TAG_LENGTH);
      t.same(tags.read(text, tweak), { name: { ...name, node: 0 }, isKnownNode: true });
      const ofTweak = Buffer.from(tweak, "latin1");
      const octets = Buffer.alloc(text.length + 2);
      t.equal(tags.put(name, ofTweak, tweak.length, octets, 1), octets.length - 1);
      t.equal(octets.toString("latin1"), `\0${text}\0`, "the same in octets");
      t.ok(tags.find(octets, 1, text.length, ofTweak, tweak.length), "and found there");
      t.same(tags.found, { ...name, node: 0 });
      t.notOk(other.find(octets, 1, text.length, ofTweak, tweak.length), "another node's is not found");
      t.same(other.read(text, tweak), { name: { ...name, node: 0 }, isKnownNode: false });
      t.notSame(stranger.read(text, tweak)?.name, name);
      t.notSame(tags.read(text, `${tweak}0`)?.name, name, "another tweak is another permutation");
      t.not(tags.write(name, `${tweak}\0`), text, "a zero more is another tweak");
    }),
    { numRuns: 300 },
  );
  t.end();
});

void t.test("tags: in a token the same octets stand in hex, since case is lost there", (t) => {
  fc.assert(
    fc.property(word, word, (epoch, count) => {
      const name = { epoch, count };
      const hex = tags.writeHex(name);
      t.equal(hex, Buffer.from(tags.write(name, ""), "base64url").toString("hex"));
      t.same(tags.read(hex, ""), { name: { ...name, node: 0 }, isKnownNode: true });
    }),
    { numRuns: 300 },
  );
  const hex = tags.writeHex({ epoch: 0x6ab13b80, count: 1 });
  for (const text of [
    hex.slice(1),
    `${hex}0`,
    `${hex.slice(1)}g`,
    `${hex.slice(1)}\u0130`,
    `${hex.slice(1)}A`,
    `${hex.slice(1)}/`,
    `${hex.slice(1)}:`,
  ])
    t.equal(tags.read(text, ""), undefined, `"${text}"`);
  t.end();
});

void t.test("tags: any text is answered", (t) => {
  for (const text of [
    "",
    "a".repeat(15),
    "a".repeat(17),
    "aaaaaaaaaaaaaaa=",
    "aaaaaaaaaaaaaa+/",
    "aaaaaaaaaaaaaaa ",
    "é".repeat(16),
    "aaaaaaaaaaaaaaa\u0141",
    "aaaaaaaaaaaaaaa@",
    "aaaaaaaaaaaaaaa[",
    "aaaaaaaaaaaaaaa`",
    "aaaaaaaaaaaaaaa{",
    "aaaaaaaaaaaaaaa:",
  ])
    t.equal(tags.read(text, ""), undefined, `"${text}"`);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), fc.string(), (octets, tweak) => {
      const text = Buffer.from(octets).toString("base64url");
      const read = tags.read(text, tweak);
      if (read === undefined) throw new Error(`${text} was not read`);
      if (read.isKnownNode) return;
      t.equal(tags.write(read.name, tweak).slice(6), text.slice(6), "a permutation: each tag has one name");
    }),
    { numRuns: 300 },
  );
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 20 }), (text) => void tags.read(text, text)));
  t.end();
});

/** Bits that differ. */
function distance(left: string, right: string): number {
  const from = Buffer.from(left, "base64url");
  const to = Buffer.from(right, "base64url");
  let bits = 0;
  for (let i = 4; i < 12; i++) for (let x = from[i]! ^ to[i]!; x !== 0; x &= x - 1) bits++;
  return bits;
}

void t.test(
  "tags: avalanche: one bit of the name or one digit of the tweak changes half of the 64 bits",
  (t) => {
    const flips = Array.from({ length: 64 }, () => ({ sum: 0, least: 64 }));
    let tweaks = 0;
    const rounds = 200;
    for (let i = 0; i < rounds; i++) {
      const name = { epoch: 1_790_000_000 + (i >> 4), count: i };
      const text = tags.write(name, TWEAK);
      flips.forEach((flip, bit) => {
        const epoch = bit < 32 ? (name.epoch ^ (1 << bit)) >>> 0 : name.epoch;
        const count = bit < 32 ? name.count : (name.count ^ (1 << (bit - 32))) >>> 0;
        const bits = distance(text, tags.write({ epoch, count }, TWEAK));
        flip.sum += bits;
        flip.least = Math.min(flip.least, bits);
      });
      tweaks += distance(text, tags.write(name, TWEAK.slice(0, 15) + (i % 15).toString(16)));
    }
    flips.forEach(({ sum, least }, bit) => {
      if (Math.abs(sum / rounds - 32) > 2 || least < 10)
        t.fail(`bit ${bit}: mean ${sum / rounds}, least ${least}`);
    });
    t.ok(Math.abs(tweaks / rounds - 32) < 2, `tweak: ${tweaks / rounds} bits`);
    const bits = Array.from({ length: 64 }, () => 0);
    for (let count = 0; count < 4096; count++) {
      const octets = Buffer.from(tags.write({ epoch: 1_790_000_000, count }, TWEAK), "base64url");
      for (let bit = 0; bit < 64; bit++) bits[bit]! += (octets[4 + (bit >> 3)]! >> (bit & 7)) & 1;
    }
    // 2048 ± 5 standard deviations of 32.
    t.same(
      bits.filter((ones) => Math.abs(ones - 2048) > 160),
      [],
      "counts that follow one another show no pattern",
    );
    t.end();
  },
);

void t.test("tags: one changed digit of a tag names nothing near", (t) => {
  const name = { epoch: 1_790_000_000, count: 1042 };
  const text = tags.write(name, TWEAK);
  let near = 0;
  for (let i = 6; i < 16; i++)
    for (const digit of "ABCDEFGHabcdefgh01234567-_") {
      const read = tags.read(text.slice(0, i) + digit + text.slice(i + 1), TWEAK)?.name;
      if (read !== undefined && digit !== text[i] && (read.epoch === name.epoch || read.count === name.count))
        near++;
    }
  t.equal(near, 0);
  t.end();
});
