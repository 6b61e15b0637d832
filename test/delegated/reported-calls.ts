import { Buffer } from "node:buffer";
import t from "tap";
import { createCalls } from "../../src/calls/call-memory.ts";
import { createCounters } from "../../src/observe/counters.ts";
import { readRequestInHand, type RequestInHand } from "../../src/routing/request-in-hand.ts";
import { createReportedCalls, type ReportedCalls } from "../../src/delegated/reported-calls.ts";
import { createMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { naming } from "../support/events.ts";
import { listeners } from "../support/proxy.ts";

interface Books {
  readonly books: ReportedCalls;
  /** A call of the trunk was let through, or refused (undefined). */
  readonly judged: (exchange: RequestInHand, trunk: string | undefined, now: number) => void;
  /** Answered calls by trunk. */
  readonly channels: () => readonly (readonly [string, number])[];
  readonly counters: ReturnType<typeof createCounters>;
  readonly unjudged: string[];
  readonly events: string[];
}

function openBooks(capacity = 100): Books {
  const counters = createCounters();
  const unjudged: string[] = [];
  const events: string[] = [];
  const calls = createCalls<undefined>({
    ...naming,
    capacity,
    longestCall: () => 12 * 3_600_000,
    tell: (event) => {
      if (event.kind === "answered") events.push(`answered on ${event.call.trunk}`);
      if (event.kind === "ended")
        events.push(`ended on ${event.call.trunk}: ${event.how} by ${event.by} ${event.status ?? ""}`.trim());
    },
  });
  const books = createReportedCalls({
    counters,
    capacity,
    calls,
    unjudged: ({ report, callId, sentBy }) => unjudged.push(`${report} ${callId} ${sentBy}`),
  });
  return {
    books,
    counters,
    unjudged,
    events,
    judged(exchange, trunk, now) {
      if (trunk === undefined) {
        books.judged(exchange, undefined, now);
        return;
      }
      const slot = calls.begin("", trunk, now);
      calls.forwarded(slot, now);
      books.judged(exchange, { name: calls.nameOf(slot) }, now);
    },
    channels: () => [...calls.standing()].map(([trunk, { answered }]) => [trunk, answered]),
  };
}

function message(start: string, callId: string, branch = "z9hG4bK1", tags = ["1", ""]): Buffer {
  const method = start.startsWith("SIP/") ? "INVITE" : start.slice(0, start.indexOf(" "));
  const [from = "", to = ""] = tags.map((tag) => (tag === "" ? "" : `;tag=${tag}`));
  return Buffer.from(
    `${start}\r\nVia: SIP/2.0/UDP 192.0.2.66:5060;branch=${branch}\r\nFrom: <sip:a@b>${from}\r\nTo: <sip:c@d>${to}\r\nCall-ID: ${callId}\r\nCSeq: 1 ${method}\r\nContent-Length: 0\r\n\r\n`,
  );
}

const invite = (callId: string, branch?: string): Buffer => message("INVITE sip:c@d SIP/2.0", callId, branch);
const ok = (callId: string, toTag = "2"): Buffer =>
  message("SIP/2.0 200 OK", callId, undefined, ["1", toTag]);
const bye = (callId: string, from = "1", to = "2"): Buffer =>
  message("BYE sip:c@d SIP/2.0", callId, "z9hG4bKbye", [from, to]);

function exchangeOf(bytes: Buffer): RequestInHand {
  const [listener] = listeners;
  const exchange =
    listener === undefined
      ? undefined
      : readRequestInHand(scan(createMessage(), bytes), listener, "192.0.2.66", 5060);
  if (exchange === undefined) throw new Error("no exchange");
  return exchange;
}

void t.test("reports: an attempt that was judged, before or shortly after its report, is in order", (t) => {
  const { books, counters, judged } = openBooks();
  judged(exchangeOf(invite("first")), undefined, 0);
  books.reported("attempt", invite("first"), 10);
  books.reported("attempt", invite("second"), 10);
  books.sweep(1900);
  judged(exchangeOf(invite("second")), "lease", 1900);
  books.sweep(10_000);
  t.equal(counters.unjudgedAttempts, 0);
  t.end();
});

void t.test("reports: one that nobody judged is counted after two seconds, once, by its own branch", (t) => {
  const { books, counters, unjudged, judged } = openBooks();
  judged(exchangeOf(invite("call", "z9hG4bKother")), "lease", 0);
  books.reported("attempt", invite("call"), 0);
  books.reported("attempt", invite("call"), 500);
  books.sweep(1999);
  t.equal(counters.unjudgedAttempts, 0);
  books.sweep(2000);
  books.sweep(5000);
  t.equal(counters.unjudgedAttempts, 1);
  t.same(unjudged, ["attempt call 192.0.2.66:5060"]);
  t.end();
});

void t.test("reports: a flood of them is bounded, and none is lost", (t) => {
  const { books, counters } = openBooks(10);
  for (let i = 0; i < 5000; i++) books.reported("attempt", invite(`c${i}`), 0);
  t.equal(counters.unjudgedAttempts, 5000 - 1024, "those that can't wait are counted at once");
  books.sweep(2000);
  t.equal(counters.unjudgedAttempts, 5000);
  t.end();
});

void t.test("reports: channels and events of a call, to BYE", (t) => {
  const { books, counters, events, judged, channels } = openBooks();
  judged(exchangeOf(invite("a")), "lease", 0);
  books.reported("final", ok("a"), 1000);
  books.reported("final", ok("a"), 1001);
  t.same(channels(), [["lease", 1]]);
  books.reported("release", bye("a"), 60_000);
  books.reported("release", bye("a"), 60_500);
  t.same(channels(), [["lease", 0]]);
  t.same(events, ["answered on lease", "ended on lease: released by caller 200"]);
  t.equal(counters.unjudgedReleases, 0, "a repeated BYE is no other call");
  t.end();
});

void t.test("reports: a call without answer, and one that was refused here", (t) => {
  const { books, events, judged, channels } = openBooks();
  judged(exchangeOf(invite("a")), "lease", 0);
  books.reported("final", message("SIP/2.0 486 Busy", "a"), 1000);
  judged(exchangeOf(invite("b", "z9hG4bK2")), undefined, 0);
  books.reported("final", message("SIP/2.0 403 No", "b"), 1000);
  t.same(events, ["ended on lease: refused by called 486"]);
  t.same(channels(), [["lease", 0]]);
  t.end();
});

void t.test("reports: a release of a call that was never judged is counted", (t) => {
  const { books, counters, unjudged } = openBooks();
  books.reported("release", bye("forged"), 0);
  books.reported("release", bye("forged"), 400);
  books.reported("final", message("SIP/2.0 503 No", "other"), 0);
  t.equal(counters.unjudgedReleases, 1);
  t.same(unjudged, ["release forged 192.0.2.66:5060"]);
  t.end();
});

void t.test("reports: a BYE is of the call whose tags it has, not of every one under its Call-ID", (t) => {
  const table: readonly (readonly [string, number, readonly Buffer[]])[] = [
    ["the caller hangs up", 0, [bye("a")]],
    ["the called side does", 0, [bye("a", "2", "1")]],
    ["both do", 0, [bye("a"), bye("a", "2", "1")]],
    ["another To tag", 1, [bye("a", "1", "forged")]],
    ["another From tag", 1, [bye("a", "forged", "2")]],
    ["no To tag", 1, [bye("a", "1", "")]],
    [
      "another To tag, twice, and then the call's own",
      1,
      [bye("a", "1", "forged"), bye("a", "1", "forged"), bye("a")],
    ],
    ["another To tag after the call's own", 1, [bye("a"), bye("a", "1", "forged")]],
  ];
  for (const [what, expected, byes] of table) {
    const { books, counters, judged, channels } = openBooks();
    judged(exchangeOf(invite("a")), "lease", 0);
    books.reported("final", ok("a"), 1000);
    for (const bytes of byes) books.reported("release", bytes, 60_000);
    t.equal(counters.unjudgedReleases, expected, what);
    const isOver = byes.some((bytes) => bytes.equals(bye("a")) || bytes.equals(bye("a", "2", "1")));
    t.same(channels(), [["lease", isOver ? 0 : 1]], `${what}: the call itself`);
  }
  const { books, counters, judged } = openBooks();
  judged(exchangeOf(invite("forked")), "lease", 0);
  for (const tag of ["2", "3"]) books.reported("final", ok("forked", tag), 1000);
  books.reported("release", bye("forked", "1", "3"), 2000);
  t.equal(counters.unjudgedReleases, 0, "a second answer is of the call");
  judged(exchangeOf(invite("unheard", "z9hG4bK2")), "lease", 0);
  books.reported("release", bye("unheard"), 2000);
  t.equal(counters.unjudgedReleases, 0, "whose answer was not reported, by the caller's tag");
  t.end();
});

void t.test("reports: calls under one Call-ID are told apart by From tag and branch", (t) => {
  const { books, counters, events, judged, channels } = openBooks();
  const again = message("INVITE sip:c@d SIP/2.0", "a", "z9hG4bK2");
  const other = message("INVITE sip:c@d SIP/2.0", "a", "z9hG4bK3", ["9", ""]);
  judged(exchangeOf(invite("a")), "lease", 0);
  // The caller of a challenged call sends it again before the report of the 407 is read.
  judged(exchangeOf(again), "lease", 100);
  judged(exchangeOf(other), "lease", 100);
  books.reported("final", message("SIP/2.0 407 No", "a", "z9hG4bK1", ["1", "p"]), 200);
  books.reported("final", message("SIP/2.0 200 OK", "a", "z9hG4bK2", ["1", "2"]), 300);
  books.reported("final", message("SIP/2.0 200 OK", "a", "z9hG4bK3", ["9", "8"]), 300);
  t.same(channels(), [["lease", 2]]);
  t.same(events, ["ended on lease: refused by called 407", "answered on lease", "answered on lease"]);
  books.reported("final", message("SIP/2.0 403 No", "a", "z9hG4bKforged", ["1", "x"]), 400);
  t.same(
    channels(),
    [["lease", 2]],
    "the refusal of a stranger's INVITE with its Call-ID and tag ends nothing",
  );
  books.reported("release", bye("a"), 500);
  books.reported("release", bye("a", "8", "9"), 500);
  t.same(channels(), [["lease", 0]]);
  t.equal(counters.unjudgedReleases, 0);
  t.end();
});

void t.test(
  "reports: what was in progress while they were missing gives its channel back, and stays known",
  (t) => {
    const minute = 60_000;
    const table: readonly (readonly [
      what: string,
      steps: (books: ReportedCalls) => void,
      at: number,
      channels: number,
    ])[] = [
      ["nothing is missing", () => undefined, 11 * 60 * minute, 1],
      ["near miss: 29 minutes later", (books) => books.interrupted(minute), 30 * minute, 1],
      ["30 minutes later", (books) => books.interrupted(minute), 31 * minute, 0],
      [
        "missing again and again: by the first time",
        (books) => {
          for (let at = minute; at < 31 * minute; at += minute) books.interrupted(at);
        },
        31 * minute,
        0,
      ],
      [
        "another answer of the call was reported since",
        (books) => {
          books.interrupted(minute);
          books.reported("final", ok("a", "3"), 2 * minute);
        },
        60 * minute,
        1,
      ],
      [
        "its BYE was reported since",
        (books) => (books.interrupted(minute), books.reported("release", bye("a"), 2 * minute)),
        2 * minute,
        0,
      ],
    ];
    for (const [what, steps, at, expected] of table) {
      const { books, counters, judged, channels } = openBooks();
      judged(exchangeOf(invite("a")), "lease", 0);
      books.reported("final", ok("a"), 1000);
      steps(books);
      books.sweep(at);
      t.same(channels(), [["lease", expected]], what);
      books.reported("release", bye("a"), at + 1);
      t.same(channels(), [["lease", 0]], what);
      t.equal(counters.unjudgedReleases, 0, `${what}: no false alarm`);
    }
    t.end();
  },
);

void t.test("reports: a call of more than twelve hours makes room, and frees its channel", (t) => {
  const { books, judged, channels } = openBooks(1);
  judged(exchangeOf(invite("long")), "lease", 0);
  books.reported("final", ok("long"), 1000);
  judged(exchangeOf(invite("next", "z9hG4bK2")), "lease", 12 * 3_600_000 + 1001);
  t.same(channels(), [["lease", 0]]);
  t.end();
});

void t.test("reports: what can't be read is nothing", (t) => {
  const { books, counters, events } = openBooks();
  for (const kind of ["attempt", "final", "release"] as const)
    for (const text of ["", "\r\n", "BYE", "INVITE sip:a SIP/2.0\r\n\r\n", "\0\0\0"])
      books.reported(kind, Buffer.from(text), 0);
  books.sweep(10_000);
  t.equal(counters.unjudgedAttempts + counters.unjudgedReleases, 0);
  t.same(events, []);
  t.end();
});
