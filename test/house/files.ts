import { readFileSync } from "node:fs";
import t from "tap";
import { z } from "zod";
import { findOffences, sourceFiles } from "./source-files.ts";

const mostLines = 400;

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

void t.test("files: small, named for what they are, and no barrels", (t) => {
  t.ok(sourceFiles.length > 80, "the sources were found");
  const tooLong = ({ path, lines }: { path: string; lines: number }): boolean =>
    !path.endsWith(".data.ts") && lines > mostLines;
  t.same(findOffences(tooLong), [], `at most ${mostLines} lines; only data tables may be longer`);
  t.same(
    findOffences(({ path }) => !/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.data)?\.ts$/.test(fileName(path))),
    [],
    "kebab case",
  );
  t.same(
    findOffences(({ path }) => /util|helper|manager|service|common|misc/.test(fileName(path))),
    [],
    "named for an idea",
  );
  t.same(
    findOffences(({ code }) => /\bexport default\b/.test(code)),
    [],
    "named exports",
  );
  t.same(
    findOffences(({ code }) => /\bexport \*/.test(code)),
    [],
    "no barrels",
  );
  const declares = /\b(?:const|function|interface|type|class|let) \w|\bprocess\./;
  t.same(
    findOffences(({ code }) => !declares.test(code)),
    [],
    "a file has something of its own",
  );
  t.end();
});

void t.test("files: no marks left behind, classes for errors only, no any", (t) => {
  t.same(
    findOffences(({ text }) => /\b(?:TODO|FIXME|XXX|HACK)\b/.test(text)),
    [],
  );
  t.same(
    findOffences(({ code }) => /^\s*(?:export )?(?:abstract )?class (?!\w+ extends \w*Error\b)/m.test(code)),
    [],
  );
  t.same(
    findOffences(({ code }) => /(?:: |<|\bas )any\b/.test(code)),
    [],
  );
  t.same(
    findOffences(({ code }) => /@ts-|eslint-disable|oxlint-disable/.test(code)),
    [],
    "no rule switched off",
  );
  t.end();
});

/**
 * Who may read the wall clock: what is dated for people or kept over a restart. Everything else measures intervals, and
 * a wall clock that is set must change none of them.
 */
const wallClockReaders = [
  "app/admin/admin-thread.ts",
  "app/certificate-expiry.ts",
  "app/lines/open-lines.ts",
  "app/log-reports.ts",
  "app/policy-reading.ts",
  "app/quarantine/open-quarantine.ts",
  "app/watchdog.ts",
  "cli/commands.ts",
  "cli/office-commands.ts",
  "cli/run.ts",
  "wire/kernel/clock.ts",
];

void t.test("clocks: the wall clock is read where dates are needed, and nowhere else", (t) => {
  const reads = /\bDate\.now\b|\bnew Date\(\)|\bDate\(\)/;
  t.same(findOffences(({ code }) => reads.test(code)).toSorted(), wallClockReaders);
  t.same(
    findOffences(({ path, code }) => path.startsWith("screening/limits/") && /\battempt\.at\b/.test(code)),
    [],
    "limits measure by timeOf",
  );
  for (const text of ["const now = Date.now();", "f(Date.now)", "new Date().getTime()"]) t.match(text, reads);
  for (const text of ["new Date(at)", "Date.parse(text)", "performance.now()", "Date.UTC(0, 0)"])
    t.notMatch(text, reads);
  t.end();
});

void t.test("words: the house speaks of lessees and refusals", (t) => {
  t.same(
    findOffences(({ text }) => /\b(?:customer|tenant|blacklist|whitelist)s?\b/i.test(text)),
    [],
  );
  t.end();
});

/** Where each package may be imported; a package that isn't named here may not be imported at all. */
const homes: Readonly<Record<string, RegExp>> = {
  "cli-progress": /^cli\/captures\/progress\.ts$/,
  commander: /^cli\/(?:commands|office-commands|quarantine\/quarantine-options)\.ts$/,
  ioredis: /^app\/cluster\/redis-link\.ts$/,
  "lru-cache":
    /^(?:state\/expiring-map|policy\/trunk-match|pcap\/(?:tcp-stream|sctp)|cli\/captures\/replayed-capture)\.ts$/,
  papaparse: /^config\/lists\/csv\.ts$/,
  pino: /^observe\/log-writer\.ts$/,
  "prom-client": /^observe\/metrics\.ts$/,
  yaml: /^config\/yaml\/yaml-source\.ts$/,
  // Rules declare their options as schemas.
  zod: /^(?:config|intake|screening)\//,
};

function packagesOf(imports: readonly string[]): readonly string[] {
  return imports.filter((name) => !name.startsWith("node:") && !name.endsWith(".ts"));
}

void t.test("packages: each at home in one place, every dependency is used and pinned", (t) => {
  const strays = sourceFiles.flatMap(({ path, imports }) =>
    packagesOf(imports)
      .filter((name) => homes[name]?.test(path) !== true)
      .map((name) => `${name} in ${path}`),
  );
  t.same(strays, []);
  const description = z.object({ dependencies: z.record(z.string(), z.string()) });
  const { dependencies } = description.parse(JSON.parse(readFileSync("package.json", "utf8")));
  const used = new Set(sourceFiles.flatMap(({ imports }) => packagesOf(imports)));
  t.same([...used].toSorted(), Object.keys(dependencies).toSorted());
  t.same(
    Object.entries(dependencies).filter(([, range]) => !/^\d+\.\d+\.\d+$/.test(range)),
    [],
    "exact versions",
  );
  t.end();
});
