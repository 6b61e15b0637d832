import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { codeOf } from "../../src/records/tree/durable-writing.ts";
import { block, createPlace, fill, noon, openLog, verify } from "./evidence-place.ts";

void t.test("a commit that fails may be tried again: no block is lost, none is doubled", (t) => {
  const place = createPlace(t);
  const log = openLog(place);
  // A file where the folder of the day should be.
  const day = join(place.folder, "2026-11-30");
  writeFileSync(day, "");
  log.append(block("one"));
  t.throws(() => log.commit(), { code: /EEXIST|ENOTDIR/ });
  log.append(block("two"));
  t.throws(() => log.checkpoint(noon), { code: /EEXIST|ENOTDIR/ });
  t.equal(log.state().signed, 0);
  rmSync(day);
  t.equal(log.checkpoint(noon)?.size, 4);
  log.close();
  t.same(verify(place.folder).faults, []);
  t.end();
});

void t.test("a disk that fills and drains", (t) => {
  const place = createPlace(t);
  const disk = join(place.base, "disk");
  mkdirSync(disk);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=300k", "tmpfs", disk]);
  if (mounted.status !== 0) {
    t.pass("small disk", { skip: "a tmpfs can't be mounted here" });
    t.end();
    return;
  }
  const unmount = (): unknown => spawnSync("umount", [disk]);
  process.once("exit", unmount);
  const folder = join(disk, "evidence");
  const log = openLog({ folder, keyFile: place.keyFile });
  const ballast = join(disk, "ballast");
  writeFileSync(ballast, Buffer.alloc(120_000));
  let appended = 0;
  let failed = 0;
  let signed = 0;
  for (let i = 0; i < 250; i += 1) {
    log.append(block(`call-${appended}`, noon + i));
    appended += 1;
    try {
      if (i % 7 === 0) signed = log.checkpoint(noon + i)?.size ?? signed;
      else log.commit();
    } catch (error) {
      t.equal(codeOf(error), "ENOSPC");
      failed += 1;
      if (failed > 40) break;
    }
  }
  t.ok(failed > 5, "the disk was full");
  t.ok(log.state().pending > 0, "blocks wait");
  t.ok(log.state().signed === signed, "nothing was signed that is not on the disk");
  rmSync(ballast);
  log.checkpoint(noon + 1000);
  t.equal(log.state().leaves, appended + 2);
  t.equal(log.state().pending, 0);
  log.close();
  const found = verify(folder);
  t.same(found.faults, []);
  t.equal(found.leaves, appended + 2);
  // Taken up again, it goes on.
  const again = openLog({ folder, keyFile: place.keyFile });
  t.same(again.state().told, []);
  fill(again, 3);
  again.close();
  t.same(verify(folder).faults, []);
  process.removeListener("exit", unmount);
  unmount();
  t.end();
});
