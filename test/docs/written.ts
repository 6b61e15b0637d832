import t from "tap";
import { Buffer } from "node:buffer";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { formatIssue } from "../../src/config/yaml/issue.ts";
import { loadStatic } from "../../src/config/load-static.ts";
import { blocks, pages, readPage } from "./pages.ts";
import type { ReadFile } from "../../src/config/yaml/config-files.ts";
import { version } from "../../src/cli/version.ts";
import { shipped } from "../support/shipped.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";

/** Reads `text` as the file itself, and the lists that it names from the example configuration. */
function readingAs(file: string, text: string): ReadFile {
  return (path) => ({ bytes: path === file ? Buffer.from(text) : readFileSync(join(shipped, path)) });
}

/** A policy with one trunk, for what a page shows of a trunk alone. */
function policyAround(trunkKeys: string): string {
  const indented = trunkKeys.replaceAll(/^/gm, "    ").trimEnd();
  return `version: 1
trunks:
  - id: lease
    side: lessee
    match: { addresses: [192.0.2.1] }
    lessee: own
    nextHops: ["sip:192.0.2.2"]
${indented}
lessees: [{ id: own, numbers: lists/jinghua-bank.csv }]
`;
}

void t.test("pages: every YAML block loads without a word", (t) => {
  const yaml = blocks.filter(({ kind }) => kind.startsWith("yaml") || kind.startsWith("yml"));
  t.ok(yaml.length >= 3, "there are some");
  for (const { page, line, kind, text } of yaml) {
    const name = `${page}:${line} (${kind})`;
    const policy = kind === "yaml policy-trunk" ? policyAround(text) : text;
    const { issues } =
      kind === "yaml static"
        ? loadStatic(readingAs("sigwall.yaml", text), "sigwall.yaml")
        : loadPolicy(readingAs("policy.yaml", policy), "policy.yaml");
    t.same(issues.map(formatIssue), [], name);
    t.ok(["yaml static", "yaml policy", "yaml policy-trunk"].includes(kind), `${name}: says what it is`);
  }
  t.end();
});

void t.test("pages: every list block is a list", (t) => {
  const lists = blocks.filter(({ kind }) => kind === "csv");
  t.ok(lists.length > 0, "there is one");
  for (const { page, line, text } of lists) {
    const policy = policyAround("").replace("lists/jinghua-bank.csv", "own.csv");
    const readFile: ReadFile = (path) => ({ bytes: Buffer.from(path === "own.csv" ? text : policy) });
    t.same(loadPolicy(readFile, "policy.yaml").issues.map(formatIssue), [], `${page}:${line}`);
  }
  t.end();
});

void t.test("pages: what they point at is there", (t) => {
  for (const page of pages) {
    const text = readPage(page);
    for (const [, target = ""] of text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (!target.startsWith("http")) t.ok(existsSync(join(dirname(page), target)), `${page} → ${target}`);
    }
    for (const [, path = ""] of text.matchAll(
      /`((?:src|test|config|docs|docker|scripts|pcaps|bench)\/[a-z0-9./-]+)`/g,
    )) {
      t.ok(existsSync(path), `${page} names ${path}`);
    }
    for (const [, script = ""] of text.matchAll(/npm run ([a-z0-9:]+)/g)) {
      t.match(readFileSync("package.json", "utf8"), `"${script}":`, `${page}: npm run ${script}`);
    }
  }
  t.end();
});

void t.test(
  "README.md begins with the two commands, CHANGELOG.md with what is not released, or this version",
  (t) => {
    const [first] = blocks.filter(({ page }) => page === "README.md");
    t.match(first?.text, /^npm ci && npm start .*\nnpm ci && npm test .*\n$/);
    const newest = /^# Changelog\n[^#]*## (.+)\n/u.exec(readPage("CHANGELOG.md"))?.[1] ?? "";
    t.ok(/^\d+\.\d+\.\d+ \(unreleased\)$/u.test(newest) || newest.startsWith(`${version} (`), newest);
    t.match(readPage("LICENSE"), "Apache License");
    t.end();
  },
);
