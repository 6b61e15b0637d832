import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import { createPolicyThread } from "../../src/cli/policy-thread.ts";
import { basicPolicy, compileText } from "../support/proxy.ts";

const request = { configPath: "no-such-file.yaml", fingerprint: "", tables: compileText(basicPolicy).tables };

void t.test(
  "a reading that begins while the idle thread is given back gets a thread of its own",
  async (t) => {
    const thread = createPolicyThread(1);
    await thread.read(request);
    // Nothing but the turn of the loop in which the thread was told to end.
    for (let tries = 0; tries < 5; tries++) {
      await pause(2 + tries);
      const { parcel, issues } = await thread.read(request);
      t.equal(parcel, undefined);
      t.equal(issues.length, 1, "the file is missing, not the thread");
    }
  },
);
