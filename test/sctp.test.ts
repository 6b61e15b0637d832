import t from "tap";
import { loadKernelSctp } from "../src/wire/sctp/kernel-sctp.ts";
import { findMachineParts, runMachine } from "./sctp/machine.ts";

const MOST = 110_000;

t.setTimeout(MOST + 20_000);

void t.test("kernel SCTP, in a machine of its own", { timeout: MOST + 10_000 }, async (t) => {
  const parts = findMachineParts();
  if (typeof parts === "string") {
    t.comment(`left out: ${parts}`);
    return;
  }
  const begun = Date.now();
  const console: string[] = [];
  let last = "";
  await runMachine(parts, "out/test/sctp/inside.js", MOST, (line) => {
    console.push(line);
    const at = line.indexOf("check ");
    if (line.startsWith("checks ")) last = line;
    else if (at >= 0) t.ok(line.startsWith("check ok", at), line.slice(at + 6).trim());
  });
  const [, passed = "0", failed = "?"] = last.trim().split(" ");
  t.ok(Number(passed) > 15 && Number(failed) === 0, `all checks were made: ${last}`);
  if (!t.passing()) t.comment(console.slice(-60).join("\n"));
  t.comment(
    `${((Date.now() - begun) / 1000).toFixed(0)} s, ${parts.stp === undefined ? "without" : "with"} osmo-stp`,
  );
});

void t.test("a system without SCTP says so, and what would help", async (t) => {
  const loaded = await loadKernelSctp();
  if (typeof loaded === "string") t.match(loaded, /koffi|modprobe sctp/);
  else t.comment("this kernel has SCTP");
});
