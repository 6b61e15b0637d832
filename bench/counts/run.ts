/** Prints a day of calls through the limits by contract: `npm run bench:counts -- --calls 20000000`. */
import { parseArgs } from "node:util";
import { Buffer } from "node:buffer";
import { loadPolicy } from "../../src/config/load-policy.ts";
import { formatColumns } from "../report.ts";
import { type DayHour, policyText, runDay } from "./day.ts";

const { values } = parseArgs({
  options: { calls: { type: "string", default: "20000000" }, seed: { type: "string", default: "15" } },
});
const files = new Map([
  ["policy.yaml", policyText(Number(values.calls))],
  ["all.csv", "number\n+86*\n"],
]);
const { policy, issues } = loadPolicy((path) => {
  const text = files.get(path);
  return text === undefined ? { error: "no such file" } : { bytes: Buffer.from(text) };
}, "policy.yaml");
if (policy === undefined) throw new Error(issues.map(({ message }) => message).join("\n"));
const begun = performance.now();
const hours = runDay(policy, Number(values.calls), [1, 6, 12, 24, 30], Number(values.seed));
const seconds = (performance.now() - begun) / 1000;
const millions = (value: number): string => (value / 1e6).toFixed(1);
const row = (hour: DayHour): readonly string[] => [
  String(hour.hour),
  millions(hour.calls),
  String(hour.refused),
  hour.compared.join(" + "),
  String(hour.off),
  String(hour.low),
  `${(hour.high * 100).toFixed(2)} %`,
  String(hour.wrong),
  String(hour.subjects),
  millions(hour.octets),
  millions(hour.rss),
  String(hour.full),
];
process.stdout.write(
  `${formatColumns([["hour", "calls M", "refused", "compared, short + long", "off", "low", "high", "wrong verdicts", "subjects", "times MB", "RSS MB", "full"], ...hours.map(row)])}\n\n` +
    `${values.calls} calls in ${seconds.toFixed(0)} s, ${((1e6 * seconds) / (hours.at(-1)?.calls ?? 1)).toFixed(1)} µs a call with the naive count\n`,
);
