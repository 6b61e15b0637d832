// Records of several nodes, in one folder or in several: one answer, each call once, each with one end.
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import t, { type Test } from "tap";
import { rehearse } from "../../src/cli/change/rehearse.ts";
import { isFields, textIn } from "../../src/records/lines/line-fields.ts";
import type { SearchOptions } from "../../src/cli/search.ts";
import {
  decided,
  ended,
  gather,
  HOUR,
  LATER,
  openRecords,
  parseLines,
  type RecordsFolder,
  seal,
  sealed,
  search,
  writeInto,
} from "../support/records-folder.ts";
import { openPlace } from "./why-place.ts";

const NAME_A = "2026-10-03/08-gw-a.ndjson";
const NAME_B = "2026-10-03/08-gw-b.ndjson";
const at = (minute: number): string => new Date(HOUR + minute * 60_000).toISOString();
const onward = { verdict: "accept", reason: "listed", rule: "default", action: "forwarded" };
const idsOf = (out: string): readonly string[] => parseLines(out).map(({ id }) => textIn(id));

const linesOfA: readonly object[] = [
  decided({ id: "gw-a-t0-1", time: at(1) }),
  decided({ id: "gw-a-t0-2", time: at(2), ...onward }),
  { ...decided({ id: "gw-a-t0-3", time: at(3) }), record: "request", method: "MESSAGE" },
  { record: "order", node: "gw-a", time: at(4), line: "trunk:lease", state: "suspended", order: "GA-1" },
  ended({ id: "gw-a-t0-2", time: at(5) }),
];

const questions: readonly Partial<SearchOptions>[] = [
  { json: true },
  { json: true, kinds: ["decided", "request", "ended", "order"] },
  { json: true, ids: ["gw-a-t0-2"] },
  { json: true, limit: "2" },
  { json: true, limit: "1", kinds: ["ended", "order"] },
  { json: true, numbers: true },
  {},
];

/** Sealed lines have the fields of open ones, in another order. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, inOrder(field)]),
  );
}

const answers = async (folders: readonly string[]): Promise<readonly unknown[]> => {
  const said: unknown[] = [];
  for (const question of questions) {
    const { out } = await search(folders, question);
    said.push(question.json === true ? inOrder(parseLines(out)) : out);
  }
  return said;
};

void t.test(
  "a folder given twice, by a link, and as a copy in any state gives the same answer",
  async (t) => {
    const place = openRecords(t);
    place.write(NAME_A, linesOfA);
    const once = await answers([place.records]);
    t.match(once[0], [{ id: "gw-a-t0-3" }, { id: "gw-a-t0-2" }, { id: "gw-a-t0-1" }]);
    t.match(once[5], [{ calls: 2 }]);
    t.same(await answers([place.records, `${place.records}/.`]), once, "twice");
    symlinkSync(place.records, join(place.folder, "link"));
    t.same(await answers([place.records, join(place.folder, "link")]), once, "a link");
    const copy = join(place.folder, "copy/records");
    cpSync(place.records, copy, { recursive: true });
    t.same(await answers([place.records, copy]), once, "a copy");
    t.same(await answers([copy, place.records]), once, "in the other order");
    if (!(await sealed(t, copy))) return;
    t.same(await answers([place.records, copy]), once, "a sealed copy of open hours");
    t.same(await answers([copy, place.records]), once, "in the other order");
    await seal(place.records);
    t.same(await answers([place.records, copy]), once, "both sealed");
  },
);

void t.test("a copy that is older holds a part: what is in one of them alone is found", async (t) => {
  const place = openRecords(t);
  place.write(NAME_A, linesOfA);
  const old = join(place.folder, "old/records");
  writeInto(old, NAME_A, linesOfA.slice(0, 2));
  const other = join(place.folder, "other/records");
  writeInto(other, NAME_A, [...linesOfA.slice(2), decided({ id: "gw-a-t0-9", time: at(9) })]);
  const all = await search([old, place.records, other], { json: true });
  t.same(idsOf(all.out), ["gw-a-t0-9", "gw-a-t0-3", "gw-a-t0-2", "gw-a-t0-1"]);
  const numbers = await search([old, place.records, other], { json: true, numbers: true });
  t.match(parseLines(numbers.out), [{ calls: 3 }]);
});

/** Two nodes: in one folder, or in a folder each. */
function twoNodes(t: Test, areApart: boolean): RecordsFolder & { readonly folders: readonly string[] } {
  const place = openRecords(t);
  const other = areApart ? join(place.folder, "b/records") : place.records;
  mkdirSync(other, { recursive: true });
  return {
    ...place,
    folders: areApart ? [place.records, other] : [place.records],
    write: (name, lines) => writeInto(name.includes("gw-b") ? other : place.records, name, lines),
  };
}

const mixed = {
  a: [
    decided({ id: "gw-a-t0-1", time: at(1), ...onward }),
    decided({ id: "gw-a-t0-2", time: at(2), ...onward }),
    decided({ id: "gw-a-t0-3", time: at(3), ...onward }),
    ended({ id: "gw-a-t0-1", time: at(9), how: "lost", by: "filter", seconds: undefined }),
    ended({ id: "gw-a-t0-2", time: at(8) }),
    ended({ id: "gw-a-t0-3", time: at(10), how: "lost", by: "filter", seconds: undefined }),
  ],
  b: [
    // Taken over from gw-a, and ended here.
    ended({ id: "gw-a-t0-1", node: "gw-b", time: at(6) }),
    // The repeat of the BYE came here.
    ended({ id: "gw-a-t0-2", node: "gw-b", time: at(9), by: "caller" }),
    decided({ id: "gw-b-t0-1", node: "gw-b", time: at(4), ...onward }),
    ended({ id: "gw-b-t0-1", node: "gw-b", time: at(5) }),
  ],
};

const theEnds = [
  `gw-a-t0-1 released gw-b ${at(6)}`,
  `gw-a-t0-2 released gw-a ${at(8)}`,
  `gw-a-t0-3 lost gw-a ${at(10)}`,
  `gw-b-t0-1 released gw-b ${at(5)}`,
];

for (const areApart of [false, true])
  for (const isSealed of [false, true])
    void t.test(
      `one end a call, of two nodes in ${areApart ? "two folders" : "one folder"}, ${isSealed ? "sealed" : "open"}`,
      async (t) => {
        const { folders, write } = twoNodes(t, areApart);
        write(NAME_A, mixed.a);
        write(NAME_B, mixed.b);
        if (isSealed) for (const folder of folders) if (!(await sealed(t, folder))) return;
        for (const order of [folders, folders.toReversed()]) {
          const { out } = await search(order, { json: true, kinds: ["ended"] });
          t.same(
            parseLines(out)
              .map((line) => ["id", "how", "node", "time"].map((name) => textIn(line[name])).join(" "))
              .toSorted(),
            theEnds,
          );
        }
        const one = await search(folders, { json: true, ids: ["gw-a-t0-1"] });
        t.match(parseLines(one.out), [
          { record: "ended", node: "gw-b", how: "released" },
          { record: "decided", node: "gw-a" },
        ]);
        // A question for the time of `lost` alone: the call has an end, which was not then.
        const then = await search(folders, { json: true, kinds: ["ended"], from: at(8.5), to: at(9.5) });
        t.same(idsOf(then.out), []);
      },
    );

void t.test(
  "seal: of two ends that two nodes saw, in hours of their own, the earlier one stays",
  async (t) => {
    const { records, write } = openRecords(t);
    write(NAME_A, [ended({ id: "gw-a-t0-1", time: at(59) })]);
    write("2026-10-03/09-gw-b.ndjson", [
      ended({ id: "gw-a-t0-1", node: "gw-b", time: at(60) }),
      ended({ id: "gw-a-t0-2", node: "gw-b", time: at(61) }),
    ]);
    // Near misses: the same node later, another id.
    write("2026-10-03/09-gw-a.ndjson", [ended({ id: "gw-a-t0-3", time: at(61) })]);
    const { code, out } = await seal(records, LATER + 3_600_000);
    if (code !== 0) return t.pass("sealing", { skip: "no database" });
    t.match(
      out,
      /09-gw-b sealed: 0 attempts, 1 endings, 0 others; 1 ends of calls with another end left out/,
    );
    t.same(idsOf((await search([records], { json: true, kinds: ["ended"] })).out).toSorted(), [
      "gw-a-t0-1",
      "gw-a-t0-2",
      "gw-a-t0-3",
    ]);
  },
);

for (const areApart of [false, true])
  void t.test(
    `why: a call that began on one node and ended on another, ${areApart ? "apart" : "together"}`,
    async (t) => {
      const place = openPlace(t);
      const other = areApart ? join(dirname(place.records), "b/records") : place.records;
      const { revision } = place;
      place.write(NAME_A, [
        decided({ id: "gw-a-t0-1", revision, ...onward, nextHop: "udp:198.51.100.1:5060" }),
        ended({ id: "gw-a-t0-1", time: at(40), how: "lost", by: "filter", seconds: undefined }),
      ]);
      writeInto(other, NAME_B, [ended({ id: "gw-a-t0-1", node: "gw-b" })]);
      const records = areApart ? [place.records, other] : [place.records];
      for (const callId of ["call-1@203.0.113.10", "gw-a-t0-1"]) {
        const { code, out, err } = await place.why({ callId, records });
        t.equal(code, 0, err);
        t.match(out, /^call gw-a-t0-1, Call-ID call-1@203\.0\.113\.10\n/);
        t.match(out, /end +ended by the called party.*61\.2 s long, cause 16; told by node gw-b\n/);
        t.equal(out.match(/^call /gm)?.length, 1);
      }
      t.match(await place.why({ callId: "gw-a-t0-2", records }), { code: 1 });
      if (areApart)
        t.match(
          (await place.why({ callId: "gw-a-t0-1" })).out,
          /the end was never seen/,
          "without the records of the other node",
        );
    },
  );

void t.test("why: a repeat that two nodes have judged is told twice, by its Call-ID", async (t) => {
  const place = openPlace(t);
  const { revision } = place;
  const other = join(dirname(place.records), "b/records");
  place.write(NAME_A, [decided({ id: "gw-a-t0-1", revision })]);
  writeInto(other, NAME_B, [
    decided({
      id: "gw-b-t0-7",
      node: "gw-b",
      revision,
      time: new Date(HOUR + 15 * 60_000 + 200).toISOString(),
    }),
    decided({ id: "gw-b-t0-8", node: "gw-b", revision, callId: "call-2@203.0.113.10" }),
  ]);
  const { out } = await place.why({ callId: "call-1@203.0.113.10", records: [place.records, other] });
  t.same(
    [...out.matchAll(/^call (\S+),/gm)].map(([, id]) => id),
    ["gw-a-t0-1", "gw-b-t0-7"],
  );
});

void t.test("rehearse: a copy of a folder is judged once, and two nodes are judged together", async (t) => {
  const place = openPlace(t);
  const { revision } = place;
  const folder = dirname(place.records);
  place.write(NAME_A, [
    decided({ id: "gw-a-t0-1", revision }),
    decided({ id: "gw-a-t0-2", revision, time: at(16) }),
  ]);
  const other = join(folder, "b/records");
  writeInto(other, NAME_B, [decided({ id: "gw-b-t0-1", node: "gw-b", revision })]);
  const copy = join(folder, "copy/records");
  cpSync(place.records, copy, { recursive: true });
  const judged = async (records: readonly string[]): Promise<unknown> => {
    const options = {
      config: join(folder, "sigwall.yaml"),
      records,
      since: at(0),
      until: undefined,
      counts: false,
      maxChanges: undefined,
      json: true,
    };
    const ran = await gather((output) => rehearse({ ...options, most: 10 }, { ...output, now: LATER }));
    const { attempts, changed } = JSON.parse(ran.out);
    return [attempts, changed];
  };
  const once = await judged([place.records, other]);
  t.same(once, [3, 3]);
  t.same(await judged([place.records, other, copy]), once);
  if (!(await sealed(t, copy))) return;
  t.same(await judged([place.records, other, copy]), once, "sealed beside open");
  await seal(place.records);
  t.same(await judged([copy, place.records, other]), once, "both sealed");
});
