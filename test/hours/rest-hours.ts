// Rest hours by kind of day, over midnight, in several time zones and over changes of the clock.
import t from "tap";
import { createRestClock, type DayKind, readRestRange, type RestHours } from "../../src/hours/rest-hours.ts";

function rangesOf(...texts: readonly string[]) {
  return texts.flatMap((text) => {
    const ranges = readRestRange(text);
    if (ranges === undefined) throw new Error(text);
    return ranges;
  });
}

const usual: RestHours = {
  workdays: rangesOf("12:00-14:00", "21:00-08:00"),
  restDays: rangesOf("00:00-10:00", "20:00-24:00"),
};
const other: RestHours = { workdays: rangesOf("23:30-09:00"), restDays: [] };
const days = new Map<string, DayKind>([
  ["2026-10-01", "holiday"],
  ["2026-10-10", "workday"],
]);

void t.test("times of day that rest hours can be", (t) => {
  for (const [text, parts] of [
    [
      "21:00-08:00",
      [
        [0, 480],
        [1260, 1440],
      ],
    ],
    ["12:00-14:00", [[720, 840]]],
    ["00:00-24:00", [[0, 1440]]],
    ["20:00-24:00", [[1200, 1440]]],
    ["20:00-00:00", [[1200, 1440]]],
    [
      "23:59-00:01",
      [
        [0, 1],
        [1439, 1440],
      ],
    ],
    ["12:00 - 14:00", [[720, 840]]],
    ["12:00-12:00", undefined],
    ["24:00-08:00", undefined],
    ["12:00-24:01", undefined],
    ["12:60-14:00", undefined],
    ["25:00-08:00", undefined],
    ["9:00-10:00", undefined],
    ["12:00", undefined],
    ["12:00-13:00-14:00", undefined],
    ["12.00-14.00", undefined],
    ["", undefined],
  ] as const)
    t.same(
      readRestRange(text)?.map(({ from, to }) => [from, to]),
      parts,
      JSON.stringify(text),
    );
  t.end();
});

void t.test("to the millisecond, by kind of day", (t) => {
  const clock = createRestClock({ timeZone: "Asia/Shanghai", days, hours: [usual, other] });
  for (const [time, which, written] of [
    // Friday, 2026-10-09: a day of work.
    ["2026-10-09T07:59:59.999+08:00", 0, "21:00-08:00"],
    ["2026-10-09T08:00:00.000+08:00", 0, undefined],
    ["2026-10-09T11:59:59.999+08:00", 0, undefined],
    ["2026-10-09T12:00:00.000+08:00", 0, "12:00-14:00"],
    ["2026-10-09T13:59:59.999+08:00", 0, "12:00-14:00"],
    ["2026-10-09T14:00:00.000+08:00", 0, undefined],
    ["2026-10-09T20:59:00.000+08:00", 0, undefined],
    ["2026-10-09T20:59:59.999+08:00", 0, undefined],
    ["2026-10-09T21:00:00.000+08:00", 0, "21:00-08:00"],
    ["2026-10-09T21:01:00.000+08:00", 0, "21:00-08:00"],
    ["2026-10-09T23:59:59.999+08:00", 0, "21:00-08:00"],
    ["2026-10-09T13:00:00.000+08:00", 1, undefined],
    ["2026-10-09T23:29:59.999+08:00", 1, undefined],
    ["2026-10-09T23:30:00.000+08:00", 1, "23:30-09:00"],
    ["2026-10-09T08:59:59.999+08:00", 1, "23:30-09:00"],
    // A Saturday that the calendar calls a day of work.
    ["2026-10-10T00:00:00.000+08:00", 0, "21:00-08:00"],
    ["2026-10-10T09:00:00.000+08:00", 0, undefined],
    ["2026-10-10T12:30:00.000+08:00", 0, "12:00-14:00"],
    // A Sunday.
    ["2026-10-11T00:00:00.000+08:00", 0, "00:00-10:00"],
    ["2026-10-11T09:59:59.999+08:00", 0, "00:00-10:00"],
    ["2026-10-11T10:00:00.000+08:00", 0, undefined],
    ["2026-10-11T12:30:00.000+08:00", 0, undefined],
    ["2026-10-11T19:59:59.999+08:00", 0, undefined],
    ["2026-10-11T20:00:00.000+08:00", 0, "20:00-24:00"],
    ["2026-10-11T23:45:00.000+08:00", 1, undefined],
    // Thursday, a holiday; the days beside it are none.
    ["2026-09-30T19:30:00.000+08:00", 0, undefined],
    ["2026-10-01T09:00:00.000+08:00", 0, "00:00-10:00"],
    ["2026-10-01T20:30:00.000+08:00", 0, "20:00-24:00"],
    ["2026-10-02T09:00:00.000+08:00", 0, undefined],
  ] as const)
    t.equal(clock.restAt(which, Date.parse(time))?.written, written, `${time} of hours ${which}`);
  t.equal(clock.restAt(9, 0), undefined, "hours that are not there");
  t.ok(clock.isRestDay(Date.parse("2026-10-01T00:00+08:00")));
  t.notOk(clock.isRestDay(Date.parse("2026-10-10T00:00+08:00")));
  t.equal(clock.say(Date.parse("2026-10-10T12:34:56Z")), "2026-10-10 20:34");
  t.end();
});

void t.test("the time zone is that of the policy", (t) => {
  for (const [timeZone, time, written] of [
    ["Asia/Shanghai", "2026-10-09T12:59:59Z", undefined],
    ["Asia/Shanghai", "2026-10-09T13:00:00Z", "21:00-08:00"],
    ["Asia/Urumqi", "2026-10-09T13:00:00Z", undefined],
    ["Asia/Urumqi", "2026-10-09T15:00:00Z", "21:00-08:00"],
    ["UTC", "2026-10-09T20:59:59Z", undefined],
    ["UTC", "2026-10-09T21:00:00Z", "21:00-08:00"],
    ["America/New_York", "2026-10-10T01:00:00Z", "21:00-08:00"],
    ["America/New_York", "2026-10-10T00:59:59Z", undefined],
  ] as const) {
    const clock = createRestClock({ timeZone, days: new Map(), hours: [usual] });
    t.equal(clock.restAt(0, Date.parse(time))?.written, written, `${time} in ${timeZone}`);
  }
  t.end();
});

void t.test("a day of 23 hours and one of 25 begin and end where the clock says", (t) => {
  const clock = createRestClock({ timeZone: "Europe/Berlin", days, hours: [usual] });
  for (const [time, written] of [
    // Sunday, 2026-03-29: 02:00 becomes 03:00.
    ["2026-03-29T07:59:59Z", "00:00-10:00"],
    ["2026-03-29T08:00:00Z", undefined],
    ["2026-03-29T18:00:00Z", "20:00-24:00"],
    ["2026-03-29T21:59:59Z", "20:00-24:00"],
    ["2026-03-29T22:00:00Z", "21:00-08:00"],
    // Sunday, 2026-10-25: 03:00 becomes 02:00.
    ["2026-10-25T08:59:59Z", "00:00-10:00"],
    ["2026-10-25T09:00:00Z", undefined],
    ["2026-10-25T22:59:59Z", "20:00-24:00"],
    ["2026-10-25T23:00:00Z", "21:00-08:00"],
  ] as const)
    t.equal(clock.restAt(0, Date.parse(time))?.written, written, time);
  t.end();
});

void t.test("a clock that goes to and fro between days", (t) => {
  const clock = createRestClock({ timeZone: "Asia/Shanghai", days, hours: [usual] });
  for (let turn = 0; turn < 3; turn++) {
    t.equal(clock.restAt(0, Date.parse("2026-10-10T20:30:00+08:00"))?.written, undefined);
    t.equal(clock.restAt(0, Date.parse("2026-10-11T20:30:00+08:00"))?.written, "20:00-24:00");
  }
  t.end();
});
