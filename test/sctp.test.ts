import "./sctp/life-test.ts";
import "./sctp/payload-protocol.ts";
import "./sctp/sctp-timers.ts";
import "./sctp/tcp-table.ts";
import t from "tap";
import { loadKernelSctp } from "../src/wire/sctp/kernel-sctp.ts";

void t.test("a system without SCTP says so, and what would help", async (t) => {
  const loaded = await loadKernelSctp();
  if (typeof loaded === "string") t.match(loaded, /koffi|modprobe sctp/);
  else t.pass("without SCTP", { skip: "this kernel has SCTP" });
});
