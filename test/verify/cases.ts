import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";
import { parse } from "yaml";
import { z } from "zod";
import { findDifference } from "../../src/cli/captures/expected-lines.ts";
import { reasonCodes } from "../../src/domain/reason.ts";
import { rules } from "../../src/screening/chain/rule-order.ts";
import { parseLines, replay } from "./run.ts";

const folder = join("pcaps", "verify");

/** `case.yaml`: a capture, a policy, and how many lines of the replay must match what. Paths are relative to the file. */
const caseSchema = z.strictObject({
  pcap: z.string(),
  config: z.string(),
  trunk: z.string().optional(),
  all: z.boolean().default(false),
  checks: z.array(z.strictObject({ count: z.int(), match: z.record(z.string(), z.unknown()) })).min(1),
});

interface VerifyCase {
  readonly name: string;
  readonly path: string;
  readonly content: z.infer<typeof caseSchema>;
}

function readCases(): readonly VerifyCase[] {
  return readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, "case.yaml")))
    .map((name) => {
      const path = join(folder, name, "case.yaml");
      return { name, path, content: caseSchema.parse(parse(readFileSync(path, "utf8"))) };
    });
}

const cases = readCases();
const seenReasons = new Set<string>();
const seenRules = new Set<string>();

for (const { name, path, content } of cases) {
  void t.test(`verify ${name}`, async (t) => {
    const { trunk, all } = content;
    const capture = join(dirname(path), content.pcap);
    const options = { config: join(dirname(path), content.config), trunk, all };
    const { code, stdout, stderr } = await replay([capture], options);
    t.equal(code, 0, stderr);
    const lines = parseLines(stdout);
    for (const { reason, rule } of lines) {
      if (typeof reason === "string") seenReasons.add(reason);
      if (typeof rule === "string") seenRules.add(rule);
    }
    for (const { count, match } of content.checks) {
      const matching = lines.filter((line) => findDifference(match, line) === undefined);
      t.equal(matching.length, count, `${path}: ${JSON.stringify(match)}`);
    }
  });
}

void t.test("every capture has a case and a page on where it comes from", async (t) => {
  const captures = readdirSync("pcaps").filter((file) => file.endsWith(".pcap") || file.endsWith(".pcapng"));
  const replayed = new Set(cases.map(({ path, content }) => join(dirname(path), content.pcap)));
  t.ok(captures.length > 0);
  for (const file of captures) {
    t.ok(replayed.has(join("pcaps", file)), `a case replays ${file}`);
    t.ok(existsSync(join("pcaps", `${file}.md`)), `${file}.md is there`);
  }
});

/** What no capture can show offline: live dialogs, other requests than calls, live channels, marks, our own faults, findings. */
const unseen: ReadonlySet<string> = new Set([
  "line-observed",
  "method-not-allowed",
  "dialog-unknown",
  "quarantined",
  "message-rate-exceeded",
  "channels-exceeded",
  "overload",
  "protocol",
  "rule-fault",
]);

void t.test("every rule and every reason that a capture can show is shown by one", async (t) => {
  for (const rule of rules)
    t.equal(seenRules.has(rule.id), rule.id !== "channels" && rule.id !== "quarantine", rule.id);
  for (const reason of reasonCodes) t.equal(seenReasons.has(reason), !unseen.has(reason), reason);
});
