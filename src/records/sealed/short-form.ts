// The short form of sealed attempts: what follows from another column is not kept twice, and is made again for readers.
import { type Fields, isFields, objectsIn, textIn } from "../lines/line-fields.ts";

/**
 * How `raw` follows from `number`, where it does; `raw` is empty then. `same`: they are equal. `plain`: without "+".
 * `national`: with the trunk prefix, `010…`. `significant`: neither country code nor trunk prefix, `139…`.
 */
type RawForm = (typeof rawForms)[number];

const rawForms = ["same", "plain", "national", "significant"] as const;

/** The form of a party in SQL. */
function formOf(party: string): string {
  const national = `starts_with(${party}.number, '+86')`;
  return `CASE WHEN ${party}.raw = ${party}.number THEN 'same'
    WHEN ${party}.raw = substring(${party}.number, 2) AND starts_with(${party}.number, '+') THEN 'plain'
    WHEN ${national} AND ${party}.raw = '0' || substring(${party}.number, 4) THEN 'national'
    WHEN ${national} AND ${party}.raw = substring(${party}.number, 4) THEN 'significant' END`;
}

function shortParty(party: string, more: readonly string[]): string {
  const form = formOf(party);
  const fields = more.map((name) => `${name}: ${party}.${name}`);
  return `{${[...fields, `raw: CASE WHEN (${form}) IS NULL THEN ${party}.raw END`, `number: ${party}.number`, `why: ${party}.why`, `form: ${form}`].join(", ")}}`;
}

function shortParties(column: string): string {
  return `list_transform(${column}, lambda x: ${shortParty("x", ["source", "presentation"])}) AS ${column}`;
}

/**
 * Selects attempts in short form. Numbers of parties stay; `raw` goes where it follows from the number. A Request-URI in
 * which `called.raw` stands is kept as what stands around it, which repeats from call to call: `requestUriAround`. Two
 * columns more serve questions: `caller`, the first number of `calling`, and `otherCallers`, the numbers beside it that
 * differ.
 *
 * @param lines what is selected from, in SQL
 */
export function inShortForm(lines: string): string {
  return `SELECT * EXCLUDE (numbers, "at", "requestUri", calling, called, diversion),
    ${shortParties("calling")}, ${shortParties("diversion")},
    CASE WHEN called IS NOT NULL THEN ${shortParty("called", [])} END AS called,
    CASE WHEN "at" > 0 THEN NULL ELSE "requestUri" END AS "requestUri",
    CASE WHEN "at" > 0 THEN {before: substring("requestUri", 1, "at" - 1), after: substring("requestUri", "at" + length(called.raw))} END AS "requestUriAround",
    numbers[1] AS caller,
    CASE WHEN len(list_filter(numbers, lambda n: n <> numbers[1])) > 0
      THEN list_filter(list_distinct(numbers), lambda n: n <> numbers[1]) END AS "otherCallers"
    FROM (SELECT *, list_filter(list_transform(calling, lambda x: x.number), lambda n: n IS NOT NULL) AS numbers,
      CASE WHEN called.raw <> '' THEN instr("requestUri", called.raw) END AS "at"
      FROM ${lines})`;
}

/** Makes the fields of a line out of a row in short form. Fields that a line has not are left out already. */
export function inFull(row: Fields): Fields {
  const { requestUriAround: around, caller: _caller, otherCallers: _others, ...line } = row;
  const called = isFields(line["called"]) ? fullParty(line["called"]) : undefined;
  return {
    ...line,
    ...(called === undefined ? {} : { called }),
    ...fullParties("calling", line),
    ...fullParties("diversion", line),
    ...(isFields(around) && called !== undefined
      ? { requestUri: textIn(around["before"]) + textIn(called["raw"]) + textIn(around["after"]) }
      : {}),
  };
}

function fullParties(name: "calling" | "diversion", line: Fields): Fields {
  return line[name] === undefined ? {} : { [name]: objectsIn(line[name]).map(fullParty) };
}

/** Makes a party of a line out of one in short form. */
export function fullParty({ form, ...party }: Fields): Fields {
  const raw = rawOfForm(form, textIn(party["number"]));
  return raw === undefined ? party : { ...party, raw };
}

/** Makes `raw` of a party again. Undefined: it does not follow from the number. */
export function rawOfForm(form: unknown, number: string): string | undefined {
  const known = rawForms.find((name) => name === form);
  return known === undefined ? undefined : rawOf(known, number);
}

function rawOf(form: RawForm, number: string): string {
  switch (form) {
    case "same":
      return number;
    case "plain":
      return number.slice(1);
    case "national":
      return `0${number.slice("+86".length)}`;
    case "significant":
      return number.slice("+86".length);
  }
}
