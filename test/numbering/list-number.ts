import t from "tap";
import { readListNumber } from "../../src/numbering/e164.ts";
import { type ListEntry, readListEntry } from "../../src/numbering/list-entry.ts";
import { describeNumber } from "./reading.ts";

void t.test("one number of a list", (t) => {
  const rows: readonly (readonly [string, string])[] = [
    ["+861087654321", "+861087654321 fixed"],
    ["+86 10 8765 4321", "+861087654321 fixed"],
    ["(010) 8765-4321", "+861087654321 fixed domesticForm"],
    ["010-8888 1234", "+861088881234 fixed domesticForm"],
    ["01087654321", "+861087654321 fixed domesticForm"],
    ["1087654321", "+861087654321 fixed nsn"],
    ["13912345678", "+8613912345678 mobile nsn"],
    ["8613912345678", "+8613912345678 mobile noPlus"],
    ["95588", "short 95588 enterprise_95"],
    ["+8695588", "short +8695588 enterprise_95"],
    ["01095588", "+861095588 area+95/96 domesticForm"],
    ["400-820-8820", "short 4008208820 intelligent_400"],
    ["+44 20 7946 0000", "+442079460000 foreign"],
    ["00442079460000", "+442079460000 foreign prefix00"],
  ];
  for (const [text, expected] of rows) {
    const number = readListNumber(text);
    t.equal(typeof number === "string" ? number : describeNumber(number), expected, text);
  }
  t.end();
});

void t.test("what is no number of a list", (t) => {
  const rows: readonly (readonly [string, string])[] = [
    ["", 'not a number: ""'],
    ["+", 'not a number: "+"'],
    ["tel:+861087654321", 'not a number: "tel:+861087654321"'],
    ["+861087654321;npdi", 'not a number: "+861087654321;npdi"'],
    ["%2B861087654321", 'not a number: "%2B861087654321"'],
    ["１３９１２３４５６７８", 'not a number: "１３９１２３４５６７８"'],
    ["+86108765432", '"+86108765432" is not a valid number (86 + unallocated)'],
    ["+86010-87654321", '"+86010-87654321" is not a valid number (86 + unallocated)'],
    ["02612345678", '"02612345678" is not a valid number (0 + unallocated)'],
    ["87654321", '"87654321" is not a valid number (no rule)'],
    ["442079460000", '"442079460000" is not a valid number (no rule)'],
    ["+95588", '"+95588" is not a valid number (cc 95: bad length)'],
  ];
  for (const [text, expected] of rows) t.equal(readListNumber(text), expected, text);
  t.match(readListNumber("01087654321", "852"), /needs its country code/);
  t.type(readListNumber("+861087654321", "852"), "object");
  t.end();
});

void t.test("list entries", (t) => {
  const rows: readonly (readonly [string, ListEntry | string])[] = [
    ["+861087654321", { kind: "exact", key: 861087654321 }],
    [" 95588 ", { kind: "exact", key: -95588 }],
    ["+861087654300..+861087654399", { kind: "range", low: 861087654300, high: 861087654399 }],
    ["+44 20 7946 0000..+44 20 7946 0099", { kind: "range", low: 442079460000, high: 442079460099 }],
    ["01087654300 .. +86 10 8765.4399", { kind: "range", low: 861087654300, high: 861087654399 }],
    ["+861087654321..+861087654321", { kind: "range", low: 861087654321, high: 861087654321 }],
    ["95580..95589", { kind: "range", low: -95589, high: -95580 }],
    ["+861087654399..+861087654300", "the range ends before it begins"],
    ["95589..95580", "the range ends before it begins"],
    ["95580..955899", "both ends of a range must have the same number of digits"],
    ["95580..+8695589", { kind: "range", low: -95589, high: -95580 }],
    ["01095580..01095589", { kind: "range", low: -95589, high: -95580 }],
    ["01095580..+861087654321", "both ends of a range must have the same number of digits"],
    ["01095588", { kind: "exact", key: -95588 }],
    ["+8695588", { kind: "exact", key: -95588 }],
    ["010-12345", { kind: "exact", key: -12345 }],
    ["+86 400 820 8820", { kind: "exact", key: -4008208820 }],
    ["95580..+861087654321", "both ends of a range must have the same number of digits"],
    ["+861087654300..", 'last number: not a number: ""'],
    ["..+861087654300", 'first number: not a number: ""'],
    ["+861087654300..99", 'last number: "99" is not a valid number (no rule)'],
    ["+8610876543*", { kind: "prefix", digits: "8610876543", code: false }],
    ["010-8765 43*", { kind: "prefix", digits: "8610876543", code: false }],
    ["+86*", { kind: "prefix", digits: "86", code: false }],
    ["00852*", { kind: "prefix", digits: "852", code: false }],
    ["955*", { kind: "prefix", digits: "955", code: true }],
    ["400*", { kind: "prefix", digits: "400", code: true }],
    ["139*", 'no code begins with "139"; for numbers write "+86139*"'],
    ["*", 'not a prefix: "*"'],
    ["+*", 'not a prefix: "+*"'],
    ["+8*", '"+8*" does not begin with a country code'],
    ["+999*", '"+999*" does not begin with a country code'],
    ["+86010*", 'no number of the plan begins with "+86010"; a code is written alone: "955*"'],
    ["+86400*", 'no number of the plan begins with "+86400"; a code is written alone: "955*"'],
    ["+8610955*", 'no number of the plan begins with "+8610955"; a code is written alone: "955*"'],
    ["010-96*", 'no number of the plan begins with "010-96"; a code is written alone: "955*"'],
    ["+86955*", { kind: "prefix", digits: "86955", code: false }],
    ["+86108765432100*", { kind: "prefix", digits: "86108765432100", code: false }],
    ["+861087654321000*", 'nothing can follow "+861087654321000": a number has at most 15 digits'],
    ["+86**", 'not a prefix: "+86**"'],
  ];
  for (const [text, expected] of rows) t.same(readListEntry(text), expected, text);
  t.match(readListEntry("010*", "852"), /needs its country code/);
  t.end();
});
