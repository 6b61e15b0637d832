import t from "tap";
import { findOffences, sourceFiles } from "./source-files.ts";

/** A file imports from its own room and from lower floors only. */
const floors: Readonly<Record<string, number>> = {
  domain: 0,
  numbering: 1,
  pcap: 1,
  state: 1,
  observe: 1,
  ss7: 2,
  sip: 2,
  screening: 3,
  config: 4,
  relay: 5,
  engines: 6,
  cli: 7,
  "": 8,
};

/** The outside world: only these rooms see it. */
const worldly: ReadonlySet<string> = new Set(["engines", "cli", ""]);
const pureModules: ReadonlySet<string> = new Set(["node:buffer", "node:crypto", "node:path"]);
const worldlyWords =
  /\b(?:Date\.now|new Date\(\)|Math\.random|performance\.|process\.|setTimeout|setInterval|setImmediate|queueMicrotask|fetch\(|async |await |Promise\b|console\.)/;

/** Metrics are asked for over HTTP by a library that answers with promises. */
const mayPromise: ReadonlySet<string> = new Set(["observe/metrics.ts"]);

/** Rooms that read what peers send, where no regular expression may stand: its time is in the peer's hand. */
const facingPeers: ReadonlySet<string> = new Set([
  "domain",
  "numbering",
  "pcap",
  "state",
  "observe",
  "ss7",
  "sip",
  "screening",
  "relay",
]);
const regularExpression =
  /\bRegExp\b|(?:[(,=:[!&|?{;]|return|=>)\s*\/(?![/*])(?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\\\n[])+\/[dgimsuvy]*(?=[\s.,;)\]}])/;

void t.test("floors: every room has one, and imports go down", (t) => {
  t.same(
    findOffences(({ room }) => !(room in floors)),
    [],
    "every room has a floor",
  );
  const climbs = sourceFiles.flatMap(({ path, room, imports }) =>
    imports
      .filter((name) => name.endsWith(".ts"))
      .filter((name) => {
        const target = name.slice(0, Math.max(name.indexOf("/"), 0));
        return target !== room && !((floors[target] ?? Infinity) < (floors[room] ?? -1));
      })
      .map((name) => `${path} imports ${name}`),
  );
  t.same(climbs, []);
  t.ok(sourceFiles.flatMap(({ imports }) => imports).length > 300, "the imports were found");
  t.end();
});

/** True when `path` imports itself by way of others. */
function isInCircle(path: string, importsOf: ReadonlyMap<string, readonly string[]>): boolean {
  const reached = new Set<string>();
  const waiting = [path];
  for (let from = waiting.pop(); from !== undefined; from = waiting.pop()) {
    for (const name of importsOf.get(from) ?? []) {
      if (name === path) return true;
      if (reached.has(name)) continue;
      reached.add(name);
      waiting.push(name);
    }
  }
  return false;
}

void t.test("floors: no file imports itself by way of others, types included", (t) => {
  const importsOf = new Map(sourceFiles.map(({ path, imports }) => [path, imports]));
  t.same(
    findOffences(({ path }) => isInCircle(path, importsOf)),
    [],
  );
  const ring = new Map(["a", "b", "c"].map((name, i, all) => [name, [all[(i + 1) % 3] ?? ""]]));
  t.ok(isInCircle("a", ring), "the test sees one");
  t.end();
});

void t.test("the outside world: sockets, clocks, timers and files belong to engines and cli", (t) => {
  const pure = sourceFiles.filter(({ room }) => !worldly.has(room));
  const modules = pure.flatMap(({ path, imports }) =>
    imports
      .filter((name) => name.startsWith("node:") && !pureModules.has(name))
      .map((name) => `${path} imports ${name}`),
  );
  t.same(modules, []);
  const words = pure
    .filter(({ path }) => !mayPromise.has(path))
    .flatMap(({ path, code }) => [...(worldlyWords.exec(code) ?? [])].map((word) => `${path} says ${word}`));
  t.same(words, []);
  t.end();
});

void t.test("peers' input meets no regular expression", (t) => {
  const found = sourceFiles
    .filter(({ room }) => facingPeers.has(room))
    .flatMap(({ path, code }) => [...(regularExpression.exec(code) ?? [])].map((text) => `${path}: ${text}`));
  t.same(found, []);
  t.match("if (/^a+$/.test(text)) {", regularExpression, "the test sees a literal");
  t.match("const pattern = /[/]a/g;", regularExpression, "and one in a constant");
  t.notMatch("const half = (a + b) / 2; const c = a / b / d;", regularExpression, "and no division");
  t.end();
});
