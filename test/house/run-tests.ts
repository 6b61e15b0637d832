import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t from "tap";

/** The files that an area's file imports, and those imported by them. */
function reachableFrom(areas: readonly string[], textOf: (path: string) => string): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [...areas];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const [, target = ""] of textOf(path).matchAll(
      /^(?:(?:im|ex)port (?:.* from )?|\} from )"(\.[^"]+\.ts)"/gm,
    ))
      if (!target.includes("/src/")) waiting.push(join(dirname(path), target));
  }
  return reached;
}

/** Files with tests that no area runs. */
function findForgotten(paths: readonly string[], textOf: (path: string) => string): readonly string[] {
  const reached = reachableFrom(
    paths.filter((path) => /^[^/]+\.(?:test|long)\.ts$/.test(path)),
    textOf,
  );
  return paths.filter((path) => !reached.has(path) && /\bt\.test\(/.test(textOf(path)));
}

void t.test("run tests: an area runs every file with tests", (t) => {
  const paths = readdirSync("test", { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  t.ok(paths.length > 200, "the tests were found");
  t.same(
    findForgotten(paths, (path) => readFileSync(join("test", path), "utf8")),
    [],
  );
  t.end();
});

void t.test("run tests: the test sees near misses", (t) => {
  const files = new Map([
    ["one.test.ts", 'import "./one/first.ts";'],
    ["one/first.ts", 'import { more } from "../two/more.ts";\nt.test();'],
    ["one/second.ts", "void t.test();"],
    ["two/more.ts", "t.test();"],
    ["two/support.ts", "export const nothing = 0;"],
  ]);
  t.same(
    findForgotten([...files.keys()], (path) => files.get(path) ?? ""),
    ["one/second.ts"],
  );
  t.end();
});
