import { Buffer } from "node:buffer";
import t from "tap";
import { readKept, readStatus, writeKept, writeStatus } from "../../src/cluster/entry-bodies.ts";
import {
  deriveKeys,
  type EntryHead,
  MOST_SEALED,
  nameSubject,
  openEntry,
  sealEntry,
} from "../../src/cluster/sealed-entry.ts";

const secret = Buffer.from("00112233445566778899aabbccddeeff", "hex");
const keys = deriveKeys(secret, "sigwall");
const head: EntryHead = {
  type: "batch",
  instance: "0123456789abcdef",
  epoch: 1_764_500_000,
  sequence: 2 ** 40 + 5,
  at: 1_764_500_123_456,
  held: 250,
};
const bytes = Buffer.from("INVITE 8613800000000");

void t.test("what is sealed opens as it was, under the same names only", (t) => {
  const sealed = sealEntry(keys, "gw-a", head, bytes);
  const opened = openEntry(keys, "gw-a", sealed);
  if (typeof opened === "string") return t.bailout(opened);
  const { bytes: read, ...rest } = opened;
  t.same(rest, head);
  t.same(Buffer.from(read), bytes);
  t.notMatch(sealed.toString("latin1"), "8613800000000");
  t.notSame(sealEntry(keys, "gw-a", head, bytes), sealed, "two seals of the same octets differ");
  const empty = openEntry(keys, "gw-a", sealEntry(keys, "gw-a", { ...head, type: "bye" }, Buffer.alloc(0)));
  t.match(empty, { type: "bye" }, "nothing can be sealed");
  const misses: readonly (readonly [what: string, result: unknown])[] = [
    ["another node", openEntry(keys, "gw-b", sealed)],
    ["another prefix", openEntry(deriveKeys(secret, "other"), "gw-a", sealed)],
    ["another key file", openEntry(deriveKeys(Buffer.alloc(16), "sigwall"), "gw-a", sealed)],
  ];
  for (const [what, result] of misses) t.equal(result, "seal", what);
  t.end();
});

void t.test("no bit can be changed, no octet taken or added", (t) => {
  const sealed = sealEntry(keys, "gw-a", head, bytes);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const result = openEntry(keys, "gw-a", changed);
    if (typeof result !== "string") t.fail(`bit ${bit}`);
  }
  for (let length = 0; length < sealed.length; length++)
    if (typeof openEntry(keys, "gw-a", sealed.subarray(0, length)) !== "string") t.fail(`${length} octets`);
  t.equal(openEntry(keys, "gw-a", Buffer.concat([sealed, Buffer.alloc(1)])), "seal");
  t.equal(openEntry(keys, "gw-a", Buffer.alloc(57)), "form", "one octet short of a head");
  t.equal(openEntry(keys, "gw-a", Buffer.alloc(MOST_SEALED + 1)), "length");
  t.equal(openEntry(keys, "gw-a", Buffer.alloc(MOST_SEALED)), "form", "at the limit");
  t.end();
});

void t.test("names of subjects: a MAC, the same on each node", (t) => {
  const name = nameSubject(keys, "quarantine", "8613800000000");
  t.equal(name, nameSubject(deriveKeys(secret, "sigwall"), "quarantine", "8613800000000"));
  t.match(name, /^[\w-]{22}$/);
  const others = [
    nameSubject(keys, "finding", "8613800000000"),
    nameSubject(keys, "quarantine", "8613800000001"),
    nameSubject(deriveKeys(secret, "other"), "quarantine", "8613800000000"),
  ];
  t.equal(new Set([name, ...others]).size, 4);
  t.end();
});

void t.test("kept entries and statuses: written and read; what is neither is nothing", (t) => {
  for (const entry of [
    { kind: "line", subject: "lessee:工行", at: 1_764_500_000_000, bytes: Buffer.from("closed") },
    { kind: "checkpoint", subject: "", at: 0, bytes: Buffer.alloc(0) },
    { kind: "finding", subject: "x", at: 1, bytes: undefined },
  ] as const)
    t.same(readKept(writeKept(entry)), entry, entry.kind);
  const whole = writeKept({ kind: "line", subject: "abc", at: 1, bytes: undefined });
  const rubbish: readonly (readonly [what: string, octets: Buffer])[] = [
    ["nothing", Buffer.alloc(0)],
    ["no such kind", Buffer.concat([Buffer.from([9]), whole.subarray(1)])],
    [
      "a subject beyond the end",
      Buffer.concat([whole.subarray(0, 2), Buffer.from([0xff, 0xff]), whole.subarray(4)]),
    ],
    ["octets of an entry that is gone", Buffer.concat([whole, Buffer.from("x")])],
    ["neither there nor gone", Buffer.concat([whole.subarray(0, 1), Buffer.from([2]), whole.subarray(2)])],
    [
      "too long",
      Buffer.concat([writeKept({ kind: "line", subject: "", at: 1, bytes: Buffer.alloc(2 ** 16) })]),
    ],
  ];
  for (const [what, octets] of rubbish) t.equal(readKept(octets), undefined, what);

  const status = { revision: "0123456789ab", lists: { bank: "ff" }, isReady: true, inForce: 12.5 };
  t.same(readStatus(writeStatus(status)), status);
  const many = Object.fromEntries(
    Array.from({ length: 2000 }, (_, index) => [`list-${index}`, "0123456789ab"]),
  );
  t.same(
    readStatus(writeStatus({ ...status, lists: many }))?.lists,
    {},
    "the revision stands for very many lists",
  );
  for (const text of ["", "null", "[]", "{", '{"revision":1}', JSON.stringify({ ...status, inForce: -1 })])
    t.equal(readStatus(Buffer.from(text)), undefined, text);
  t.end();
});
