import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import type { LineId, LineOrder } from "../../src/domain/line-state.ts";
import { type KeptLines, NO_LINES, readLines, writeLines } from "../../src/app/lines/lines-document.ts";
import { findLines, keepLines, readKept } from "../../src/app/lines/lines-files.ts";

function openFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-lines-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

const kept: KeptLines = {
  orders: new Map<LineId, LineOrder>([
    [
      "trunk:lease",
      { state: "suspended", order: "JG-1", reason: "诈骗", authority: "police", calls: "release" },
    ],
    ["lessee:acme", { state: "observe", calls: "keep", until: 1_800_000_000_000 }],
  ]),
  changes: new Map([
    ["trunk:lease", { at: 1_700_000_000_000, node: "gw-a" }],
    ["trunk:opened", { at: 1_700_000_000_001, node: "" }],
  ]),
  states: new Map([["trunk:lease", "suspended"]]),
  untold: [
    {
      record: "order",
      line: "trunk:lease",
      state: "suspended",
      previous: "active",
      order: "JG-1",
      reason: "诈骗",
      by: "command",
    },
  ],
};

const plain = ({ orders, changes, states, untold }: KeptLines): unknown => [
  [...orders],
  [...changes],
  [...states],
  untold,
];

void t.test("lines.json: what is written is read again, mode 0600, in two copies", async (t) => {
  const folder = openFolder(t);
  t.same(findLines(folder), { ...NO_LINES, trouble: undefined }, "none yet");
  await keepLines(folder, kept);
  t.same(readdirSync(folder).toSorted(), ["lines.copy.json", "lines.json"]);
  for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  const found = findLines(folder);
  t.equal(found.trouble, undefined);
  t.same(plain(found), plain(kept));
});

void t.test("lines.json: one flipped bit anywhere is noticed, and the line stays stopped", async (t) => {
  const folder = openFolder(t);
  await keepLines(folder, kept);
  const path = join(folder, "lines.json");
  const sound = readFileSync(path);
  const said = new Set<string>();
  for (let at = 0; at < sound.length; at += 7) {
    const bytes = Buffer.from(sound);
    bytes[at]! ^= 1 << (at % 8);
    writeFileSync(path, bytes);
    const found = readKept(folder);
    // White space between tokens carries nothing.
    if (found.trouble !== undefined) said.add(found.trouble.split("; ")[1] ?? "");
    else t.same(plain(readLines(bytes.toString())), plain(kept), `octet ${at}`);
    t.equal(found.orders.get("trunk:lease")?.state, "suspended", `octet ${at}`);
  }
  t.same([...said], ["its copy lines.copy.json holds"]);
});

interface DamageRow {
  readonly name: string;
  readonly file: string | undefined;
  readonly copy: string | undefined;
  readonly trouble: RegExp | undefined;
  readonly holds: readonly string[];
}

void t.test("lines.json: damaged, missing, changed by hand", async (t) => {
  const text = writeLines(kept);
  const both = ["trunk:lease suspended", "lessee:acme observe"];
  const byHand = text.replace('"observe"', () => '"closed"');
  const rows: readonly DamageRow[] = [
    { name: "sound, without a copy", file: text, copy: undefined, trouble: undefined, holds: both },
    { name: "sound, with a damaged copy", file: text, copy: "{", trouble: undefined, holds: both },
    {
      name: "missing",
      file: undefined,
      copy: text,
      trouble: /lines\.json is missing; its copy/u,
      holds: both,
    },
    { name: "empty", file: "", copy: text, trouble: /is damaged: it is no JSON; its copy/u, holds: both },
    { name: "cut", file: text.slice(0, 90), copy: text, trouble: /it is no JSON/u, holds: both },
    {
      name: "changed by hand: the stricter state holds",
      file: byHand,
      copy: text,
      trouble: /its checksum does not fit/u,
      holds: ["trunk:lease suspended", "lessee:acme closed"],
    },
    {
      name: "changed by hand, without a copy: what can be read holds",
      file: byHand,
      copy: undefined,
      trouble: /lines\.copy\.json is missing; an order that can't be read is forgotten/u,
      holds: ["trunk:lease suspended", "lessee:acme closed"],
    },
    {
      name: "an order that is none beside one that is",
      file: text.replace('"observe"', () => '"asleep"'),
      copy: "",
      trouble: /damaged too: it is no JSON; an order that can't be read is forgotten.*1 order in force/u,
      holds: ["trunk:lease suspended"],
    },
    {
      name: "nothing that can be read",
      file: "\0\0\0",
      copy: "[]",
      trouble: /is damaged: it is no JSON;.*damaged too: it is no JSON object;.*0 orders in force/u,
      holds: [],
    },
    {
      name: "of a later release",
      file: text.replace('"version": 1', () => '"version": 2'),
      copy: undefined,
      trouble: /its version is not 1/u,
      holds: both,
    },
  ];
  for (const { name, file, copy, trouble, holds } of rows) {
    const folder = openFolder(t);
    if (file !== undefined) writeFileSync(join(folder, "lines.json"), file);
    if (copy !== undefined) writeFileSync(join(folder, "lines.copy.json"), copy);
    const before = readdirSync(folder);
    const looked = readKept(folder);
    t.same(readdirSync(folder), before, `${name}: looking changes nothing`);
    const found = findLines(folder);
    t.same(plain(found), plain(looked), name);
    if (trouble === undefined) t.equal(found.trouble, undefined, name);
    else t.match(found.trouble ?? "", trouble, name);
    t.same(
      [...found.orders].map(([line, { state }]) => `${line} ${state}`).toSorted(),
      [...holds].toSorted(),
      name,
    );
    if (trouble !== undefined && file !== undefined)
      t.equal(readFileSync(join(folder, "lines.json.damaged"), "utf8"), file, `${name}: set aside`);
  }
});

void t.test("lines.json: what can't be written leaves the file as it was", async (t) => {
  const folder = openFolder(t);
  await keepLines(folder, kept);
  await t.rejects(keepLines(join(folder, "nowhere"), NO_LINES), { code: "ENOENT" });
  rmSync(join(folder, "lines.copy.json"));
  const { mkdirSync } = await import("node:fs");
  mkdirSync(join(folder, "lines.copy.json"));
  await t.rejects(keepLines(folder, NO_LINES), { code: /EISDIR|ENOTEMPTY|EEXIST/u });
  t.same(plain(findLines(folder)), plain(kept));
});
