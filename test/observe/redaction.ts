import t from "tap";
import { redactNumber, redactText } from "../../src/observe/redact.ts";
import { readSipNumber } from "../../src/numbering/e164.ts";
import { makeTrunk } from "../support/attempt.ts";

const numbers: readonly (readonly [received: string, shown: string])[] = [
  ["01087654321", "+8610xxxxxxxx"],
  ["+862787654321", "+8627xxxxxxxx"],
  ["075522223333", "+86755xxxxxxxx"],
  ["13812345678", "+86138xxxxxxxx"],
  ["+442079460000", "+4420xxxxxxxx"],
  ["95588", "95xxx"],
  ["110", "11x"],
  ["anonymous", "token"],
  ["+8612", "invalid"],
  ["Alice 13812345678", "invalid"],
  ["", "empty"],
];

void t.test("redaction: a number keeps country and area, what is none is told by its kind", (t) => {
  const { dialPlan } = makeTrunk();
  for (const [received, shown] of numbers)
    t.equal(redactNumber(readSipNumber(received, dialPlan)), shown, received);
  t.end();
});

const texts: readonly (readonly [text: string, shown: string])[] = [
  ["", ""],
  ["lists/own.csv:123456:1 number: bad", "lists/own.csv:123456:1 number: bad"],
  ["1234567", "1234xxx"],
  ["123456", "123456"],
  ['"+861087654321" and 13812345678', '"+8610xxxxxxxx" and 1381xxxxxxx'],
  ["127.0.0.1:50600 on 2026-10-03", "127.0.0.1:50600 on 2026-10-03"],
  ["8613812345678", "8613xxxxxxxxx"],
];

void t.test("redaction: text keeps places and dates, and no number", (t) => {
  for (const [text, shown] of texts) t.equal(redactText(text), shown, text);
  t.end();
});
