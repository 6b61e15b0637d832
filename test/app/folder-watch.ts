import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { watchFolders } from "../../src/app/folder-watch.ts";

// The file is always `now/list`. `now` leads to `one`, by the links of the case.
const links: readonly { readonly name: string; readonly chain: readonly (readonly [string, string])[] }[] = [
  { name: "a link to the folder", chain: [["now", "one"]] },
  {
    name: "a link to a link",
    chain: [
      ["now", "links/current"],
      ["links/current", "../one"],
    ],
  },
  {
    name: "a link above the folder",
    chain: [
      ["release", "."],
      ["now", "release/one"],
    ],
  },
  {
    name: "a loop",
    chain: [
      ["now", "later"],
      ["later", "now"],
    ],
  },
];

for (const { name, chain } of links) {
  for (const [replaced] of chain) {
    void t.test(`folder watch: ${name}: ${replaced} leads elsewhere`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), "sigwall-folders-"));
      const at = (path: string): string => join(folder, path);
      for (const made of ["one", "two", "links"]) mkdirSync(at(made));
      writeFileSync(at("one/list"), "1");
      for (const [path, target] of chain) symlinkSync(target, at(path));
      const failures: string[] = [];
      let follow: ((files: readonly string[]) => void) | undefined;
      const changed = new Promise<void>((resolve) => {
        ({ follow } = watchFolders(resolve, (place, why) => failures.push(`${place}: ${String(why)}`)));
      });
      follow?.([at("now/list")]);
      symlinkSync(at("two"), at("next"));
      renameSync(at("next"), at(replaced));
      await changed;
      // A folder that is not there is told; that of a loop is none.
      t.equal(failures.length > 0, name === "a loop", failures.join());
      follow?.([]);
      rmSync(folder, { recursive: true });
    });
  }
}
