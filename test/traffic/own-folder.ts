// What the traffic generator may read: its own folder, and nothing of the filter that it measures.
import { readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import t from "tap";

const folder = join("bench", "traffic");

/** Modules that a file imports, types included. */
function importsOf(text: string): readonly string[] {
  const pattern = /^(?:(?:im|ex)port .*|\} )from "([^"]+)"|\bimport\(?\s*"([^"]+)"/gm;
  return [...text.matchAll(pattern)].map(([, name, other = ""]) => name ?? other);
}

/** Imports that lead out of the folder. The command alone may use the parts of Node. */
function findStrays(path: string, text: string): readonly string[] {
  return importsOf(text).filter((name) => {
    if (name.startsWith(".")) return !normalize(join(folder, path, "..", name)).startsWith(`${folder}/`);
    return !(name.startsWith("node:") && path === "run.ts");
  });
}

void t.test("traffic: the generator knows nothing of the filter", (t) => {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  t.ok(paths.length > 20, "the files were found");
  t.same(
    paths.flatMap((path) =>
      findStrays(path, readFileSync(join(folder, path), "utf8")).map((name) => `${path}: ${name}`),
    ),
    [],
  );
  t.same(
    paths.filter((path) => /\bMath\.random|\bDate\b/.test(readFileSync(join(folder, path), "utf8"))),
    [],
    "and nothing of chance or of the clock",
  );

  t.same(findStrays("honest/a.ts", 'import { b } from "../call.ts";'), []);
  for (const name of ["../../../src/domain/time.ts", "../../random.ts", "node:fs", "zod"])
    for (const text of [`import { b } from "${name}";`, `import "${name}";`, `} from "${name}";`])
      t.same(findStrays("honest/a.ts", text), [name], text);
  t.end();
});
