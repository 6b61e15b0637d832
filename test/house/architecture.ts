import { existsSync, readFileSync } from "node:fs";
import t from "tap";
import { floors } from "./floors.ts";
import { sourceFiles } from "./source-files.ts";

const page = readFileSync("docs/ARCHITECTURE.md", "utf8");
const textOf = new Map(sourceFiles.map(({ path, text }) => [path, text]));

/** A line of a drawing: a file from `src/` on, and what in that file is called. */
const station = /(?:^|[\s;])((?:[a-z0-9-]+\/)+[a-z0-9-]+\.ts) +(\w+)/;

/** The lines of every fenced block. */
function drawnLines(): readonly string[] {
  return page.split(/^```$/m).flatMap((part, index) => (index % 2 === 0 ? [] : part.split("\n")));
}

void t.test("docs/ARCHITECTURE.md: every path exists", (t) => {
  const paths = [...page.matchAll(/`((?:src|test|config|docs)\/[^`\s]*)`/g)].map((match) => match[1] ?? "");
  t.ok(paths.length > 60, "the paths were found");
  for (const path of paths) t.ok(existsSync(path), path);
  t.end();
});

void t.test("docs/ARCHITECTURE.md: every file of a drawing exists and has what is called", (t) => {
  let found = 0;
  for (const line of drawnLines()) {
    const [, path = "", name = ""] = station.exec(line) ?? [];
    if (path === "") continue;
    found++;
    t.match(textOf.get(path) ?? "", new RegExp(`\\b${name}\\b`), `${path} has ${name}`);
  }
  t.ok(found > 50, "the drawings were found");
  t.end();
});

void t.test("docs/ARCHITECTURE.md: the table of floors is the plan of the house, in its order", (t) => {
  const rows = [...page.matchAll(/^\| (\d+(?:\.\d)?) \| `src\/([a-z0-9/-]+)` \|/gm)].map((match) => ({
    floor: Number(match[1]),
    room: match[2] ?? "",
  }));
  const rooms = Object.keys(floors).filter((room) => room !== "");
  t.same(rows.map(({ room }) => room).toSorted(), rooms.toSorted(), "each folder once");
  for (const { room, floor } of rows) t.equal(floor, floors[room], room);
  const storeys = rows.map(({ floor }) => Math.floor(floor));
  t.same(
    storeys,
    storeys.toSorted((a, b) => a - b),
    "from the ground up",
  );
  const named = new Set(rows.map(({ room }) => room.split("/", 1)[0]));
  for (const { storey, path } of sourceFiles) {
    if (storey !== "" && !named.has(storey)) t.fail(`${path}: its folder is not named`);
  }
  t.end();
});
