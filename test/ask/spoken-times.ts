import t from "tap";
import { readSpan } from "../../src/cli/asking/spoken-times.ts";

/** 2026-11-30 20:00 in Shanghai. */
const NOW = Date.UTC(2026, 10, 30, 12);

const spans: readonly (readonly [text: string, from: string, to: string])[] = [
  ["2026-11-30", "2026-11-29T16:00:00.000Z", "2026-11-30T16:00:00.000Z"],
  ["2026-11", "2026-10-31T16:00:00.000Z", "2026-11-30T16:00:00.000Z"],
  ["2026-12", "2026-11-30T16:00:00.000Z", "2026-12-31T16:00:00.000Z"],
  ["2026-11-30T10:32", "2026-11-30T02:32:00.000Z", "2026-11-30T02:33:00.000Z"],
  ["2026-11-30 10:32:05", "2026-11-30T02:32:05.000Z", "2026-11-30T02:32:06.000Z"],
  ["2026-11-30T10:32:05.25", "2026-11-30T02:32:05.250Z", "2026-11-30T02:32:05.251Z"],
  ["2026-11-30T10:32Z", "2026-11-30T10:32:00.000Z", "2026-11-30T10:33:00.000Z"],
  ["2026-11-30T10:32:05-0530", "2026-11-30T16:02:05.000Z", "2026-11-30T16:02:06.000Z"],
  ["10:32", "2026-11-30T02:32:00.000Z", "2026-11-30T02:33:00.000Z"],
  ["20:00", "2026-11-30T12:00:00.000Z", "2026-11-30T12:01:00.000Z"],
  ["20:01", "2026-11-29T12:01:00.000Z", "2026-11-29T12:02:00.000Z"],
  ["yesterday", "2026-11-28T16:00:00.000Z", "2026-11-29T16:00:00.000Z"],
  ["yesterday 10:32", "2026-11-29T02:32:00.000Z", "2026-11-29T02:33:00.000Z"],
  ["today 9:00", "2026-11-30T01:00:00.000Z", "2026-11-30T01:01:00.000Z"],
  ["24h", "2026-11-29T12:00:00.000Z", "2026-11-29T12:00:00.001Z"],
  ["90m", "2026-11-30T10:30:00.000Z", "2026-11-30T10:30:00.001Z"],
];

void t.test("times: as people write them, in the zone of the policy", (t) => {
  for (const [text, from, to] of spans) {
    const span = readSpan(text, "Asia/Shanghai", NOW);
    t.same(span && [new Date(span.from).toISOString(), new Date(span.to).toISOString()], [from, to], text);
  }
  for (const text of [
    "",
    " ",
    "soon",
    "2026-02-31",
    "2026-13",
    "2026-11-30T24:00",
    "10:60",
    "10:32:60",
    "2026-11-30Z",
    "h",
    "1w",
    "Z",
    "2026-1-1",
    "10",
    "2026-02-30T10:00Z",
  ])
    t.equal(readSpan(text, "Asia/Shanghai", NOW), undefined, JSON.stringify(text));
  t.end();
});

void t.test("times: on the days that change the clocks", (t) => {
  const at = (text: string): string =>
    new Date(readSpan(text, "Europe/Berlin", NOW)?.from ?? NaN).toISOString();
  t.equal(at("2026-03-29T01:30"), "2026-03-29T00:30:00.000Z");
  t.equal(at("2026-03-29T12:00"), "2026-03-29T10:00:00.000Z");
  t.equal(at("2026-10-25T12:00"), "2026-10-25T11:00:00.000Z");
  const day = readSpan("2026-10-25", "Europe/Berlin", NOW);
  t.equal(day && day.to - day.from, 25 * 3_600_000);
  t.end();
});
