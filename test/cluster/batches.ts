// Batches: what is written is read, and no octets do harm.
import { Buffer } from "node:buffer";
import t from "tap";
import { AttemptFlag, HEAD, LONGEST_BATCH } from "../../src/cluster/batch-layout.ts";
import { type BatchItems, readBatch, type ToldAttempt } from "../../src/cluster/batch-reading.ts";
import { createBatchPen } from "../../src/cluster/batch-writing.ts";
import type { PartyNumber } from "../../src/domain/number.ts";
import type { Outcome } from "../../src/proxy/memory/ledger.ts";
import { createRandom } from "../fuzz/random.ts";
import { type AttemptSpec, makeAttempt, makeTrunk } from "../support/attempt.ts";

const SENT = 5_000_000;
const name = { epoch: 1_700_000_000, count: 7 };
const trunk = makeTrunk({ id: "专线-1" });

interface Read {
  readonly items: unknown[];
  readonly attempts: ToldAttempt[];
  readonly unread: number;
}

function readAll(batch: Uint8Array): Read {
  const items: unknown[] = [];
  const attempts: ToldAttempt[] = [];
  const take: BatchItems = {
    attempt(call, attempt) {
      items.push({ ...call, ...attempt });
      attempts.push(attempt);
    },
    decision(call, { bytes, start, end, fingerprint, outcome }, ago) {
      const key = Buffer.from(bytes.subarray(start, end)).toString("latin1");
      items.push({ ...call, key, fingerprint, outcome, ago });
    },
    row: (call, row, isTaken) => items.push({ ...call, flags: row.flags, isTaken }),
    ended: (call, end) => items.push({ ...call, ...end }),
  };
  return { unread: readBatch(batch, take), items, attempts };
}

/** What counting needs of a number. */
function keyOf(number: PartyNumber): string {
  return number.kind === "unusable" ? "none" : `${number.kind} ${number.class} ${number.key}`;
}

void t.test("an attempt arrives with all that limits and detectors read", async (t) => {
  const rows: readonly AttemptSpec[] = [
    {},
    { calling: ["pai +861087654321", "from +861087654399"], called: "95588" },
    { calling: ["isup 1087654321", "from +12025550100"], called: "+8613800138000", callId: "" },
    { calling: ["from 4008208820"], called: "110" },
    { calling: ["from 01095588"], called: "075512345", diversion: ["div +861087654321"] },
    { calling: ["rpid-called +861087654321", "from +861087654321"], emergencyUrn: true },
  ];
  for (const spec of rows) {
    const attempt = makeAttempt(trunk, spec);
    const pen = createBatchPen();
    pen.attempt(name, "", attempt, AttemptFlag.paid, SENT - 40);
    const { items, attempts, unread } = readAll(pen.take(SENT));
    t.equal(unread, 0);
    t.match(items[0], {
      node: "",
      ...name,
      trunk: "专线-1",
      flags: AttemptFlag.paid,
      ago: 40,
      diverting: attempt.diversion.length,
      callId: attempt.callId,
      fromTag: attempt.fromTag,
    });
    const [told] = attempts;
    if (told === undefined) throw new Error("no attempt was read");
    const { calling, called } = told;
    t.equal(keyOf(called), keyOf(attempt.called), keyOf(called));
    t.same(
      calling.map(({ source, number, party }) => `${source} ${keyOf(number)} ${party ?? ""}`),
      attempt.calling.map(({ source, number, party }) => `${source} ${keyOf(number)} ${party ?? ""}`),
    );
  }
});

void t.test("identities without a number are not told, and such a call is not known again", async (t) => {
  const pen = createBatchPen();
  pen.attempt(name, "", makeAttempt(trunk, { calling: ["pai alice", "from +861087654321"] }), 0, SENT);
  const { items } = readAll(pen.take(SENT));
  t.match(items, [{ callId: "", calling: [{ source: "from" }] }]);
});

const target = { transport: "tls", address: "2001:db8::1", port: 5061 } as const;
const outcomes: readonly Outcome[] = [
  { kind: "drop" },
  { kind: "reject", status: 603, reason: "police-listed" },
  { kind: "redirect", extra: "Contact: <sip:1@192.0.2.9>\r\n" },
  { kind: "forward", target, reason: "listed", changes: undefined },
  {
    kind: "forward",
    target,
    reason: "listed",
    changes: {
      fields: new Set(["x-secret", "organization"]),
      change: { withoutName: true, prefix: "[Spam?] ", withoutVerstat: true },
      isWithheld: true,
      withoutFrom: true,
      label: "score-high",
    },
  },
];

void t.test("what was decided arrives as it was", async (t) => {
  for (const outcome of outcomes) {
    const pen = createBatchPen();
    pen.decision(
      name,
      "gw-c",
      "lease",
      { key: "lease\n192.0.2.1\nz9hG4bKé", fingerprint: "f", outcome },
      SENT - 5,
    );
    const { items } = readAll(pen.take(SENT));
    t.same(items, [
      {
        node: "gw-c",
        ...name,
        trunk: "lease",
        key: "lease\n192.0.2.1\nz9hG4bKé",
        fingerprint: "f",
        outcome,
        ago: 5,
      },
    ]);
  }
});

void t.test("what is too long to be told is left out, and the rest arrives", async (t) => {
  const pen = createBatchPen();
  const long = "x".repeat(4000);
  pen.decision(name, "", "lease", { key: long, fingerprint: "f", outcome: { kind: "drop" } }, SENT);
  pen.decision(
    name,
    "",
    "lease",
    { key: "k", fingerprint: "f", outcome: { kind: "redirect", extra: long } },
    SENT,
  );
  pen.decision(name, "", "lease", { key: "k", fingerprint: "f", outcome: { kind: "drop" } }, SENT);
  t.match(readAll(pen.take(SENT)), { items: [{ key: "k", outcome: { kind: "drop" } }], unread: 0 });
});

void t.test("items of a later release are passed over", async (t) => {
  const pen = createBatchPen();
  pen.decision(name, "", "lease", { key: "k", fingerprint: "f", outcome: { kind: "drop" } }, SENT);
  const batch = pen.take(SENT);
  const later = Buffer.from([99, 3, 0, 1, 2, 3]);
  const both = Buffer.concat([batch.subarray(0, HEAD), later, batch.subarray(HEAD)]);
  t.match(readAll(both), { items: [{ key: "k" }], unread: 0 });
});

void t.test("a batch has a bound", async (t) => {
  const pen = createBatchPen();
  const attempt = makeAttempt(trunk);
  let items = 0;
  while (pen.hasRoom()) {
    pen.attempt(name, "", attempt, 0, SENT);
    items++;
  }
  const batch = pen.take(SENT);
  t.ok(batch.length <= LONGEST_BATCH);
  t.equal(readAll(batch).items.length, items);
  t.equal(pen.length, 0);
});

void t.test("damaged batches: never an error, never more items than were written", async (t) => {
  const pen = createBatchPen();
  for (const outcome of outcomes)
    pen.decision(name, "gw-c", "lease", { key: "k", fingerprint: "f", outcome }, SENT);
  pen.attempt(name, "", makeAttempt(trunk, { diversion: ["div +861087654321"] }), 7, SENT);
  pen.row(name, "", "lease", true, (out, at) => out.fill(0, at, at + 36) && at + 36);
  pen.ended(
    name,
    "",
    { kind: "ended", call: { id: "x", trunk: "lease" }, at: 0, by: "caller", how: "released", status: 200 },
    SENT,
  );
  const batch = pen.take(SENT);
  const random = createRandom(1);
  let unread = 0;
  for (let round = 0; round < 20_000; round++) {
    const damaged = Buffer.from(batch);
    for (let changes = random.below(4); changes >= 0; changes--)
      damaged[random.below(damaged.length)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.below(256)]);
    const cut = random.once(3) ? damaged.subarray(0, random.below(damaged.length)) : damaged;
    const read = readAll(cut);
    if (read.items.length > 40) t.fail("items out of nothing");
    unread += Math.abs(read.unread);
  }
  t.ok(unread > 1000, `${unread} items could not be read`);
  t.equal(readAll(Buffer.alloc(0)).unread, -1);
  t.equal(readAll(Buffer.from("no batch at all")).unread, -1);
});
