import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import t, { type Test } from "tap";
import { readFromDisk } from "../../src/app/read-file.ts";
import { type CaptureRehearsalOptions, rehearseCaptures } from "../../src/cli/change/rehearse-captures.ts";
import { replayCaptures } from "../../src/cli/replay.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";
import { keepPolicy } from "../../src/records/policies/policy-keeping.ts";
import { gather, HOUR, parseLines, type Ran } from "../support/records-folder.ts";

const captures = resolve("pcaps");

interface Place {
  readonly folder: string;
  readonly run: (files: readonly string[], options?: Partial<CaptureRehearsalOptions>) => Promise<Ran>;
  /** Lines of `replay --json` under the new policy, or the old one. */
  readonly replay: (
    file: string,
    side: "old" | "new",
  ) => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** The policy of the capture cases, and the same policy edited: each `from` becomes its `to`. */
function open(
  t: Test,
  edits: Readonly<Record<string, readonly (readonly [from: string, to: string])[]>>,
): Place {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-captures-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const side of ["old", "new"])
    cpSync(join(captures, "verify"), join(folder, side), { recursive: true });
  for (const [file, changes] of Object.entries(edits)) {
    let text = readFileSync(join(folder, "new", file), "utf8");
    for (const [from, to] of changes) {
      if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
      text = text.replaceAll(from, to);
    }
    writeFileSync(join(folder, "new", file), text);
  }
  const base: CaptureRehearsalOptions = {
    config: join(folder, "new", "sigwall.yaml"),
    records: [],
    against: join(folder, "old", "sigwall.yaml"),
    trunk: undefined,
    maxChanges: undefined,
    json: true,
  };
  return {
    folder,
    run: (files, options = {}) =>
      gather((output) =>
        rehearseCaptures(
          files.map((file) => join(captures, file)),
          { ...base, ...options },
          output,
        ),
      ),
    async replay(file, side) {
      const config = join(folder, side, "sigwall.yaml");
      const asked = { config, trunk: undefined, json: true, all: false, ends: false };
      const { out } = await gather((output) =>
        replayCaptures([join(captures, file)], { ...output, ...asked, expect: undefined, jobs: 1 }),
      );
      return parseLines(out).filter(({ verdict }) => verdict !== undefined);
    },
  };
}

/** Fewer numbers of the lessee; callers may hide, and from abroad they may show a domestic number. */
const edits: Parameters<typeof open>[1] = {
  "policy.yaml": [
    [
      "version: 1\n",
      "version: 1\nrules: { hidden-caller: { mode: monitor }, home-cli-from-abroad: { mode: monitor } }\n",
    ],
  ],
  "lists/jinghua-bank.csv": [["+861087654300..+861087654399", "+861087654322..+861087654399"]],
};

const sayChange = ({ trunk, before, after, rule, count, ids }: Readonly<Record<string, unknown>>): string =>
  [trunk, before, "→", after, rule, count, ids].join(" ").replaceAll(`${captures}/`, "");

void t.test("IAMs of SS7: what an edit changes, by trunk, reason and frame", async (t) => {
  const { run } = open(t, edits);
  const ran = await run(["isup-callers.pcap"]);
  t.equal(ran.code, 0, ran.err);
  const { attempts, same, changed, changes, unjudged, held } = JSON.parse(ran.out);
  t.same({ attempts, same, changed, unjudged }, { attempts: 21, same: 13, changed: 7, unjudged: [] });
  t.same(changes.map(sayChange), [
    "abroad reject home-cli-from-abroad → accept default default 3 isup-callers.pcap:17,isup-callers.pcap:18,isup-callers.pcap:19",
    "lease accept listed → reject cli-not-listed caller-authentication 3 isup-callers.pcap:2,isup-callers.pcap:1,isup-callers.pcap:5",
    "roaming label home-cli-from-abroad → accept default default 1 isup-callers.pcap:21",
  ]);
  t.ok(held.includes("number-class"), "a capture holds the category of the caller");
});

void t.test("INVITEs: the words for people, and the bound", async (t) => {
  const { run } = open(t, edits);
  const told = await run(["number-spellings.pcap", "caller-authentication.pcap"], {
    json: false,
    maxChanges: 0,
  });
  t.equal(told.code, 1);
  t.match(
    told.out.replaceAll(`${captures}/`, ""),
    /^number-spellings\.pcap: 15 packets, 15 SIP messages\ncaller-authentication\.pcap: 8 packets, 8 SIP messages\n23 attempts, compared with policy [0-9a-f]{12}: 13 with the same verdict, 10 with another one\n {2}10 × lease \(jinghua-bank\): accept listed → reject cli-not-listed, by caller-authentication: number-spellings\.pcap:1, .*, …\nthe captures held all that these rules read: emergency, /u,
  );
  t.equal(told.err, "sigwall rehearse: 10 verdicts would change, more than 0\n");
});

/** Captures of every signalling and of the rules that the edit is about. */
const various =
  "accepted-calls.pcapng caller-authentication.pcap call-rate.pcap hidden-caller.pcap home-cli-from-abroad.pcap isup-circuits.pcap isup-overlap.pcap repeats.pcap sip-i.pcap tcp-segments.pcap two-faces.pcap withheld-number.pcap".split(
    " ",
  );

void t.test("SIP, SIP-I and SS7: the changes are the differences between two replays", async (t) => {
  const { run, replay } = open(t, edits);
  let compared = 0;
  for (const file of various) {
    const ran = await run([file]);
    const { changed, changes, otherReason, otherReasons, attempts } = JSON.parse(ran.out);
    const [before, after] = [await replay(file, "old"), await replay(file, "new")];
    const differing = before.flatMap((line, index) => {
      const is = after[index];
      if (line["frame"] !== is?.["frame"]) throw new Error(`${file}: other frames`);
      const [was, now] = [line, is ?? {}].map(
        ({ verdict, reason }: Readonly<Record<string, unknown>>) => `${String(verdict)} ${String(reason)}`,
      );
      return was === now ? [] : [`${was} → ${now}`];
    });
    const counted = [...changes, ...otherReasons].flatMap(
      ({ before: was, after: now, count }: Readonly<Record<string, unknown>>) =>
        Array.from({ length: Number(count) }, () =>
          `${String(was)} → ${String(now)}`.replaceAll(" + strip", ""),
        ),
    );
    t.same(counted.toSorted(), differing.toSorted(), file);
    const isRefusal = /^(?:reject|drop)/u;
    const outcomes = differing.filter((text) => {
      const [was = "", now = ""] = text.split(" → ").map((side) => side.split(" ")[0] ?? "");
      return !(was === now && isRefusal.test(was));
    });
    t.equal(changed + otherReason, differing.length, file);
    t.equal(changed, outcomes.length, file);
    t.ok(attempts >= before.length, `${file}: each attempt is told`);
    compared += differing.length;
  }
  t.ok(compared > 30, `${compared} changes`);
});

void t.test(
  "the same policy twice changes nothing, over several captures with limits and ends",
  async (t) => {
    const { run } = open(t, {});
    const files = ["accepted-calls.pcapng", "call-frequency.pcap", "isup-circuits.pcap", "sip-i.pcap"];
    const { attempts, same, changed, unjudged } = JSON.parse((await run(files)).out);
    t.equal(changed, 0);
    const left = unjudged.reduce((sum: number, { count }: { count: number }) => sum + count, 0);
    t.equal(same + left, attempts);
    t.ok(same > 20);
  },
);

void t.test("the policy to compare with: named, kept, or asked for", async (t) => {
  const { run, folder } = open(t, edits);
  const file = "isup-callers.pcap";
  t.match(await run([file], { against: undefined }), {
    code: 2,
    err: /name the policy to compare with: --against OLD.*keeps no records/su,
  });
  const records = join(folder, "records");
  for (const name of [records, join(folder, "policies")]) mkdirSync(name);
  t.match(await run([file], { against: undefined, records: [records] }), {
    code: 2,
    err: /no policy is kept beside/,
  });
  const { material } = loadPolicy(readFromDisk, join(folder, "old", "policy.yaml"));
  if (material === undefined) throw new Error("the policy of the cases is wrong");
  const place = { folder: join(folder, "policies"), node: "gw-a" };
  keepPolicy(place, material, { engine: "embedded", listeners: [] }, readFromDisk, HOUR);
  for (const against of [undefined, material.revision, join(folder, "old", "policy.yaml")]) {
    const ran = await run([file], { against, records: [records] });
    t.match(JSON.parse(ran.out), { against: material.revision, attempts: 21, changed: 7 }, String(against));
  }
  t.match(await run([file], { against: join(folder, "none.yaml") }), { code: 2, err: /can't read/ });
});

void t.test("what can't be judged is told, and is no change", async (t) => {
  const { run } = open(t, edits);
  t.match(await run(["none.pcap"]), { code: 2, err: /sigwall rehearse: .*none\.pcap: / });
  t.match(await run(["isup-callers.pcap"], { trunk: "leas" }), {
    code: 2,
    err: /has no trunk "leas"; did you mean/,
  });
  const broken = await run(["malformed.pcap"]);
  t.equal(broken.err, "");
  const malformed = JSON.parse(broken.out);
  t.match(malformed, { changed: 0, unjudged: [{ why: /it can't be read/ }] });
  const { unjudged } = JSON.parse((await run(["routing.pcap"])).out);
  t.match(unjudged, [
    { why: /decided before the rules were asked/, count: 3 },
    { why: /no trunk of either policy claims its source/, count: 1 },
  ]);
});
