import { readFileSync } from "node:fs";
import t from "tap";
import { findOffences, roomOf, sourceFiles } from "./source-files.ts";

/**
 * A file imports from its own room and from lower floors only. The whole part of a number is the floor; the fraction
 * orders the inner folders of one floor.
 */
export const floors: Readonly<Record<string, number>> = {
  net: 0,
  domain: 1,
  hours: 2,
  numbering: 2.0,
  "numbering/lists": 2.1,
  "numbering/areas": 2.1,
  "pcap/links": 2.0,
  "pcap/tunnels": 2.1,
  pcap: 2.2,
  state: 2,
  "state/frequency": 2.1,
  "state/quarantine": 2.2,
  "observe/cluster": 2.0,
  observe: 2.1,
  sip: 3.0,
  "sip/fields": 3.1,
  "sip/bodies": 3.2,
  "sip/attempt": 3.3,
  ss7: 3,
  calls: 4,
  screening: 5.0,
  "screening/rules": 5.1,
  "screening/limits": 5.1,
  "screening/detectors": 5.1,
  "screening/chain": 5.2,
  "screening/quarantine": 5.2,
  policy: 6,
  "config/yaml": 7.0,
  "config/lists": 7.1,
  "config/sigwall": 7.1,
  "config/policy/keys": 7.2,
  intake: 7.2,
  "config/policy": 7.3,
  config: 7.4,
  "config/review": 7.5,
  "config/change": 7.5,
  "config/audit": 7.6,
  routing: 7,
  judging: 8,
  "proxy/messages": 9.0,
  "proxy/octets": 9.0,
  "proxy/memory": 9.1,
  "proxy/turn": 9.2,
  "proxy/sending": 9.3,
  "proxy/responses": 9.4,
  "proxy/requests": 9.5,
  "proxy/ordinary": 9.5,
  proxy: 9.6,
  isup: 9,
  delegated: 10,
  "wire/kernel": 10.0,
  "wire/udp": 10.1,
  "wire/streams": 10.1,
  "wire/dns": 10.1,
  "wire/sctp": 10.2,
  "records/hep": 11,
  "records/lines": 11,
  "records/tree": 11,
  "records/evidence": 11.1,
  "records/sealed": 11.1,
  "records/asking": 11.2,
  "records/peers": 11.2,
  cluster: 11,
  "records/policies": 11.3,
  "records/reporting": 11.3,
  replay: 12.0,
  "replay/rehearsing": 12.1,
  reports: 12,
  engines: 12.0,
  "engines/drachtio": 12.1,
  "engines/m3ua": 12.1,
  "app/threads": 13.0,
  "app/lines": 13.0,
  "app/children": 13.0,
  "app/quarantine": 13.0,
  "app/admin": 13.1,
  "app/lists": 13.1,
  app: 13.2,
  "app/records": 13.3,
  "app/counts": 13.3,
  "app/cluster": 13.3,
  "cli/captures": 14.0,
  "cli/asking": 14.0,
  "cli/intake": 14.0,
  "cli/change": 14.1,
  "cli/reporting": 14.1,
  "cli/quarantine": 14.1,
  cli: 14.2,
  "": 15,
};

/** Files that one folder holds without inner folders. */
const mostFiles = 20;

/** The outside world: only these rooms see it. */
const worldly: ReadonlySet<string> = new Set(["wire", "records", "engines", "app", "cli", ""]);
const pureModules: ReadonlySet<string> = new Set(["node:buffer", "node:crypto", "node:path"]);
const worldlyWords =
  /\b(?:Date\.now|new Date\(\)|Math\.random|performance\.|process\.|setTimeout|setInterval|setImmediate|queueMicrotask|fetch\(|async |await |Promise\b|console\.)/;

/** Metrics are asked for over HTTP by a library that answers with promises; an exchange is closed like a connection. */
const mayPromise: ReadonlySet<string> = new Set(["observe/metrics.ts", "cluster/exchange.ts"]);

/** Rooms that read what peers send, where no regular expression may stand: its time is in the peer's hand. */
const facingPeers: ReadonlySet<string> = new Set([
  "domain",
  "numbering",
  "pcap",
  "state",
  "observe",
  "ss7",
  "sip",
  "calls",
  "screening",
  "policy",
  "routing",
  "judging",
  "proxy",
  "isup",
  "delegated",
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
        const target = roomOf(name);
        return target !== room && !((floors[target] ?? Infinity) < (floors[room] ?? -1));
      })
      .map((name) => `${path} imports ${name}`),
  );
  t.same(climbs, []);
  t.ok(sourceFiles.flatMap(({ imports }) => imports).length > 300, "the imports were found");
  const crowded = Object.keys(floors).filter(
    (room) => sourceFiles.filter((file) => file.room === room).length > mostFiles,
  );
  t.same(crowded, [], `at most ${mostFiles} files in a folder`);
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

void t.test(
  "the outside world: sockets, clocks, timers and files belong to wire, records, engines, app and cli",
  (t) => {
    const pure = sourceFiles.filter(({ storey }) => !worldly.has(storey));
    const modules = pure.flatMap(({ path, imports }) =>
      imports
        .filter((name) => name.startsWith("node:") && !pureModules.has(name))
        .map((name) => `${path} imports ${name}`),
    );
    t.same(modules, []);
    const words = pure
      .filter(({ path }) => !mayPromise.has(path))
      .flatMap(({ path, code }) =>
        [...(worldlyWords.exec(code) ?? [])].map((word) => `${path} says ${word}`),
      );
    t.same(words, []);
    t.end();
  },
);

void t.test("peers' input meets no regular expression", (t) => {
  const found = sourceFiles
    .filter(({ storey }) => facingPeers.has(storey))
    .flatMap(({ path, code }) => [...(regularExpression.exec(code) ?? [])].map((text) => `${path}: ${text}`));
  t.same(found, []);
  t.match("if (/^a+$/.test(text)) {", regularExpression, "the test sees a literal");
  t.match("const pattern = /[/]a/g;", regularExpression, "and one in a constant");
  t.notMatch("const half = (a + b) / 2; const c = a / b / d;", regularExpression, "and no division");
  t.end();
});

/**
 * What is wrong with the folders that a page names: first-level ones in rows `| FLOOR | folders | what |`, inner ones in
 * rows `| src/FOLDER | what |`.
 */
function findFolderFaults(page: string, rooms: Readonly<Record<string, number>>): readonly string[] {
  const named = new Map<string, number | undefined>();
  const faults: string[] = [];
  for (const line of page.split("\n")) {
    const [, floor = "", folders = "", what = ""] =
      /^\|(?: (\d+) \|)? ((?:`[a-z0-9/]+`(?:, )?)+) \|(.*)\|$/.exec(line) ?? [];
    for (const [, folder = ""] of folders.matchAll(/`(?:src\/)?([^`]+)`/g)) {
      if (named.has(folder)) faults.push(`${folder}: named twice`);
      if (what.trim() === "") faults.push(`${folder}: nothing says what it is`);
      named.set(folder, floor === "" ? undefined : Number(floor));
    }
  }
  for (const [room, floor] of Object.entries(rooms)) {
    const shown = named.get(room);
    if (room === "") continue;
    if (!named.has(room)) faults.push(`${room}: not named`);
    else if (room.includes("/") ? shown !== undefined : shown !== Math.trunc(floor))
      faults.push(`${room}: on floor ${Math.trunc(floor)}, not ${shown}`);
  }
  for (const folder of named.keys()) if (!(folder in rooms)) faults.push(`${folder}: no such folder`);
  return faults;
}

void t.test("CONTRIBUTING.md says of every folder what it is, and on which floor", (t) => {
  const real = Object.fromEntries(
    sourceFiles.flatMap(({ room, storey }) =>
      [room, storey].map((name) => [name, floors[name] ?? floors[room] ?? -1]),
    ),
  );
  t.same(findFolderFaults(readFileSync("CONTRIBUTING.md", "utf8"), real), []);
  t.ok(Object.keys(real).length > 40, "the folders were found");

  const rooms = { "": 15, sip: 3, "sip/fields": 3.1, ss7: 3 };
  const top = "| 3 | `sip`, `ss7` | protocols |\n";
  const inner = "| `src/sip/fields` | values |\n";
  t.same(findFolderFaults(top + inner, rooms), []);
  const misses: readonly (readonly [page: string, faults: readonly string[]])[] = [
    [top, ["sip/fields: not named"]],
    [inner + top.replace(", `ss7`", ""), ["ss7: not named"]],
    [inner + top.replace("3", "2"), ["sip: on floor 3, not 2", "ss7: on floor 3, not 2"]],
    [top + inner.replace("fields", "bodies"), ["sip/fields: not named", "sip/bodies: no such folder"]],
    [top + inner.replace("values", ""), ["sip/fields: nothing says what it is"]],
    [top + inner + inner, ["sip/fields: named twice"]],
    [top + inner.replaceAll("|", ""), ["sip/fields: not named"]],
  ];
  for (const [page, faults] of misses) t.same(findFolderFaults(page, rooms), faults, page);
  t.end();
});
