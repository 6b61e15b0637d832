import tap from "tap";
import { createCalendar, isTimeZone } from "../../src/config/lists/calendar.ts";
import { editDistance, findNearest } from "../../src/config/yaml/suggestion.ts";

const days: readonly (readonly [zone: string, date: string, start: string | undefined, hours?: number])[] = [
  ["Asia/Shanghai", "2026-01-31", "2026-01-30T16:00:00.000Z", 24],
  ["Asia/Shanghai", "1970-01-02", "1970-01-01T16:00:00.000Z", 24],
  ["UTC", "1970-01-01", "1970-01-01T00:00:00.000Z", 24],
  ["UTC", "2028-02-29", "2028-02-29T00:00:00.000Z", 24],
  ["UTC", "9999-12-31", "9999-12-31T00:00:00.000Z", 24],
  ["Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00.000Z", 23],
  ["Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00.000Z", 25],
  ["America/New_York", "2026-11-01", "2026-11-01T04:00:00.000Z", 25],
  ["Asia/Kathmandu", "2026-05-05", "2026-05-04T18:15:00.000Z", 24],
  ["Asia/Shanghai", "2026-02-29", undefined],
  ["Asia/Shanghai", "2026-13-01", undefined],
  ["Asia/Shanghai", "2026-00-10", undefined],
  ["Asia/Shanghai", "2026-1-1", undefined],
  ["Asia/Shanghai", "26-01-01", undefined],
  ["Asia/Shanghai", "0026-01-01", undefined],
  ["Asia/Shanghai", "2026/01/01", undefined],
  ["Asia/Shanghai", "2026-01-01T00:00", undefined],
  ["Asia/Shanghai", "20260101", undefined],
  ["Asia/Shanghai", "", undefined],
];

void tap.test("a day runs from midnight to midnight of its time zone", async (t) => {
  for (const [zone, date, start, hours] of days) {
    const day = createCalendar(zone).readDay(date);
    t.equal(day === undefined ? undefined : new Date(day.start).toISOString(), start, `${date} in ${zone}`);
    if (day === undefined) continue;
    t.equal((day.end - day.start) / 3_600_000, hours, `${date} in ${zone} has ${hours} hours`);
    t.equal(createCalendar(zone).formatDay(day.start), date, "its first moment is on it");
    t.equal(createCalendar(zone).formatDay(day.end - 1), date, "its last moment is on it");
  }
});

void tap.test("a moment for people: the clock of the zone, with its offset", async (t) => {
  const at = Date.UTC(2026, 9, 25, 0, 59, 59, 123);
  const rows: readonly (readonly [zone: string, at: number, text: string])[] = [
    ["Asia/Shanghai", at, "2026-10-25T08:59:59.123+08:00"],
    ["UTC", at, "2026-10-25T00:59:59.123+00:00"],
    ["America/New_York", at, "2026-10-24T20:59:59.123-04:00"],
    ["Asia/Kathmandu", at, "2026-10-25T06:44:59.123+05:45"],
    ["Europe/Berlin", at, "2026-10-25T02:59:59.123+02:00"],
    ["Europe/Berlin", at + 1000, "2026-10-25T02:00:00.123+01:00"],
    ["Asia/Shanghai", Date.UTC(1970, 0, 1), "1970-01-01T08:00:00.000+08:00"],
  ];
  for (const [zone, moment, text] of rows)
    t.equal(createCalendar(zone).formatTime(moment), text, `${zone} ${text}`);
});

void tap.test("a date-time is of its zone, or has an offset", async (t) => {
  for (const [zone, text, moment] of [
    ["Asia/Shanghai", "2026-12-31T18:00", "2026-12-31T10:00:00Z"],
    ["Asia/Shanghai", "2026-12-31 18:00:59", "2026-12-31T10:00:59Z"],
    ["Asia/Shanghai", "2026-12-31T18:00Z", "2026-12-31T18:00:00Z"],
    ["Asia/Shanghai", "2026-12-31T18:00+00:30", "2026-12-31T17:30:00Z"],
    ["Asia/Shanghai", "2026-12-31T18:00:00-05:00", "2026-12-31T23:00:00Z"],
    ["Europe/Berlin", "2026-07-01T00:00", "2026-06-30T22:00:00Z"],
    ["Europe/Berlin", "2026-10-25T04:00", "2026-10-25T03:00:00Z"],
    ["UTC", "2028-02-29T23:59", "2028-02-29T23:59:00Z"],
  ] as const)
    t.equal(createCalendar(zone).readTime(text), Date.parse(moment), `${zone} ${text}`);
  for (const text of [
    "2026-12-31",
    "2026-12-31T24:00",
    "2026-12-31T18:60",
    "2026-12-31T18:00:60",
    "2026-12-31T1800",
    "2026-12-31T18:00+8",
    "2026-12-31T18:00 ",
    "2026-02-29T18:00",
    "31.12.2026 18:00",
    "",
  ])
    t.equal(createCalendar("Asia/Shanghai").readTime(text), undefined, text);
});

void tap.test("time zones", async (t) => {
  for (const name of ["Asia/Shanghai", "UTC", "America/New_York"]) t.ok(isTimeZone(name), name);
  for (const name of ["", "Asia/Shangai", "Beijing", "+25:00"]) t.notOk(isTimeZone(name), name);
});

void tap.test("a suggestion is near, or there is none", async (t) => {
  t.equal(editDistance("kitten", "sitting"), 3);
  t.equal(editDistance("laese", "lease"), 1, "neighbours that changed places are one slip");
  t.equal(editDistance("", "abc"), 3);
  t.equal(editDistance("abc", ""), 3);
  const known = ["acme-bj", "lease", "emergency"];
  for (const [word, nearest] of [
    ["acme", "acme-bj"],
    ["ACME-BJ", "acme-bj"],
    ["laese", "lease"],
    ["least", "lease"],
    ["emergancy", "emergency"],
    ["mergenc", "emergency"],
    ["zzz", undefined],
    ["e", undefined],
    ["", undefined],
    ["lexxe", undefined],
    ["x".repeat(1000), undefined],
  ] as const) {
    t.equal(findNearest(word, known), nearest, JSON.stringify(word.slice(0, 20)));
  }
});
