import t from "tap";
import { findMachineParts, runMachine } from "./sctp/machine.ts";

/** The machine is emulated: it takes ten seconds and more, and a multiple beside other work. Milliseconds. */
const MOST = 540_000;

for (const [name, script, least] of [
  ["kernel SCTP, in a machine of its own", "out/test/sctp/inside.js", 15],
  ["a linkset that shares its load, in a machine of its own", "out/test/sctp/inside.js loadshare", 8],
] as const)
  void t.test(name, async (t) => {
    const parts = findMachineParts();
    if (typeof parts === "string") {
      t.pass("machine", { skip: `SCTP of a kernel is left out: ${parts}` });
      return;
    }
    const begun = Date.now();
    const console: string[] = [];
    let last = "";
    await runMachine(parts, script, MOST, (line) => {
      console.push(line);
      const at = line.indexOf("check ");
      if (line.startsWith("checks ")) last = line;
      else if (at >= 0) t.ok(line.startsWith("check ok", at), line.slice(at + 6).trim());
    });
    const [, passed = "0", failed = "?"] = last.trim().split(" ");
    t.ok(Number(passed) > least && Number(failed) === 0, `all checks were made: ${last}`);
    if (!t.passing()) t.comment(console.slice(-60).join("\n"));
    t.comment(
      `${((Date.now() - begun) / 1000).toFixed(0)} s, ${parts.stp === undefined ? "without" : "with"} osmo-stp`,
    );
  });
