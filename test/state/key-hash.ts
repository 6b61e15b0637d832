import { Buffer } from "node:buffer";
import t from "tap";
import { hashKey, hashNumber, hashOctets, type KeyHash } from "../../src/state/key-hash.ts";

function hashOf(key: string): KeyHash {
  const hash: KeyHash = { low: 0, high: 0 };
  hashKey(key, hash);
  return hash;
}

void t.test("key hash: one key has one hash, near misses have others", (t) => {
  const keys = [
    "",
    "\0",
    "\0\0",
    "a",
    "b",
    "ab",
    "ba",
    "abc",
    "abcd",
    "abcd\0",
    "abcde",
    "abcdefgh",
    "abcdefgi",
  ];
  keys.push(
    "x".repeat(255),
    "x".repeat(256),
    "x".repeat(511),
    "x".repeat(512),
    "x".repeat(513),
    "x".repeat(4000),
    "\xff",
    "\xff\xff\xff\xff",
    "lease 8610",
    "lease 8611",
  );
  const seen = new Set<string>();
  for (const key of keys) {
    const { low, high } = hashOf(key);
    t.same(hashOf(key), { low, high }, `${key}: again`);
    const ofOctets: KeyHash = { low: 0, high: 0 };
    const octets = Buffer.from(`x${key}x`, "latin1");
    hashOctets(octets, 1, octets.length - 1, ofOctets);
    t.same(ofOctets, { low, high }, `${key}: out of octets`);
    seen.add(`${low} ${high}`);
  }
  t.equal(seen.size, keys.length);
  t.same(hashOf("lease 8610"), hashOf("a lease 8610 more".slice(2, 12)), "however the string was made");
  t.end();
});

void t.test("key hash: keys that peers count up spread over the buckets, in both halves", (t) => {
  const buckets = 256;
  const keys = 25_600;
  for (const half of ["low", "high"] as const) {
    const held = new Uint32Array(buckets);
    for (let i = 0; i < keys; i++) {
      const bucket = hashOf(`lease\n203.0.113.10\n5060\nz9hG4bK-${i}`)[half] & (buckets - 1);
      held[bucket] = (held[bucket] ?? 0) + 1;
    }
    // 100 expected, standard deviation 10: eight deviations either way.
    t.ok(
      Math.min(...held) > 20 && Math.max(...held) < 180,
      `${half}: ${Math.min(...held)} to ${Math.max(...held)}`,
    );
  }
  t.end();
});

void t.test("key hash: a number and a limit hash as their octets do", (t) => {
  const octets = Buffer.alloc(12);
  const out: KeyHash = { low: 0, high: 0 };
  for (const [limit, number] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [7, 8_613_800_138_000],
    [7, -95_588],
    [2 ** 31 - 1, 999_999_999_999_999],
  ] as const) {
    octets.writeDoubleLE(number, 0);
    octets.writeInt32LE(limit, 8);
    hashOctets(octets, 0, octets.length, out);
    t.equal(hashNumber(limit, number), out.low, `${limit}, ${number}`);
  }
  t.end();
});
