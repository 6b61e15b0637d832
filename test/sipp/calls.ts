import t from "tap";
import { paths } from "./path.ts";
import { scenarios } from "./scenarios.ts";
import { isInstalled } from "./sipp-process.ts";
import { openStage } from "./stage.ts";

/** Generous: SIPp ends a call that hangs after 90 seconds, and says what it waited for. */
const limit = { timeout: 600_000 };

if (!isInstalled) t.pass("SIPp", { skip: "sipp is not installed: calls are placed by SIP.js only" });
else {
  t.setTimeout(limit.timeout);
  // Mostly waiting.
  t.jobs = paths.length;
  for (const path of paths) {
    void t.test(`SIPp over ${path.name}`, limit, async (t) => {
      const stage = await openStage(path);
      const carriesDatagrams = path.caller.transport === "udp" && path.called.transport === "udp";
      for (const scenario of scenarios) {
        if (scenario.datagramsOnly && !carriesDatagrams) continue;
        const { complaints, counts } = await stage.play(scenario);
        t.same(complaints, [], `${scenario.name}: both sides`);
        t.same(counts, scenario.counts, `${scenario.name}: counted, and nothing else`);
      }
      t.equal(await stage.close(), 0, "the filter ends well");
    });
  }
}
