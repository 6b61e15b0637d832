import type { AdminParts } from "../../src/app/admin/admin-answers.ts";
import { createCounters } from "../../src/observe/counters.ts";

/** A filter without trunks that is ready, seen from its admin address on a free port. */
export function partsOf(changes: Partial<AdminParts> = {}): AdminParts {
  return {
    endpoint: { address: "127.0.0.1", port: 0 },
    figures: {
      counters: createCounters(),
      reloads: { ok: 0, failed: 0, refused: 0 },
      sockets: "dgram",
      policy: () => ({ revision: "one", lists: [] }),
      nextHops: () => [],
      names: () => [],
      tableFull: {},
      ruleFaults: {},
    },
    isReady: () => true,
    reload: () => Promise.resolve({ result: "ok" }),
    fault: () => undefined,
    ...changes,
  };
}
