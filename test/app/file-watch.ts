import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { startFileWatch } from "../../src/app/file-watch.ts";
import { stampFiles, stampOnDisk } from "../../src/app/tracked-files.ts";
import { until } from "../support/until.ts";

void t.test("file watch: a change is told however the file is replaced, and until it is read", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-watch-"));
  const at = (name: string): string => join(folder, name);
  mkdirSync(at("one"));
  mkdirSync(at("two"));
  writeFileSync(at("one/list"), "1");
  writeFileSync(at("two/list"), "2");
  symlinkSync("one", at("now"));
  const list = at("now/list");
  const read = (): ReadonlyMap<string, string> => stampFiles([list], stampOnDisk);
  const failures: string[] = [];
  let changes = 0;
  const watch = startFileWatch(read(), {
    changed: () => changes++,
    failed: (place, why) => failures.push(`${place}: ${why}`),
  });
  t.teardown(() => {
    watch.close();
    rmSync(folder, { recursive: true });
  });
  /** Does something to the file, waits until it is told, and reads the file. */
  const change = async (what: string, act: () => void): Promise<void> => {
    const before = changes;
    act();
    await until(() => changes > before);
    t.pass(what);
    watch.follow(read());
  };
  await change("written", () => writeFileSync(list, "11"));
  await change("replaced", () => {
    writeFileSync(at("one/new"), "12");
    renameSync(at("one/new"), list);
  });
  await change("the folder is another one", () => {
    symlinkSync("two", at("next"));
    renameSync(at("next"), at("now"));
  });
  await change("removed", () => rmSync(list));
  await change("there again", () => writeFileSync(list, "3"));
  watch.follow(undefined);
  // The state at which the thread takes the message counts as read, so the file goes on changing.
  let state = 4;
  const before = changes;
  const writer = setInterval(() => writeFileSync(list, String(state++)), 20);
  t.teardown(() => clearInterval(writer));
  await until(() => changes > before);
  t.pass("without stamps, what is changed later is told");
  t.same(failures, []);
});
