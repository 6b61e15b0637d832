import t from "tap";
import { chooseDatagramSockets } from "../../src/engines/datagram-sockets.ts";
import { createEmbeddedEngine } from "../../src/engines/embedded.ts";
import type { EngineParts } from "../../src/engines/engine.ts";
import { runScenarios, type RunningEngine } from "./scenarios.ts";
import { runSocketTable } from "./sockets.ts";

async function start(parts: EngineParts): Promise<RunningEngine> {
  const engine = createEmbeddedEngine(parts);
  const [bound = ""] = await engine.start();
  const port = Number(bound.slice(bound.lastIndexOf(":") + 1));
  return { engine, address: parts.listen[0]?.address ?? "", port, close: () => engine.stop() };
}

for (const kind of ["dgram", "batched"] as const) {
  const sockets = await chooseDatagramSockets(kind);
  if (sockets.kind !== kind) {
    t.comment(`batched sockets are left out: ${sockets.missing ?? ""}`);
    continue;
  }
  for (const address of ["127.0.0.1", "::1"]) {
    runScenarios(
      `embedded engine, ${kind} sockets`,
      (parts) => start({ ...parts, openPort: sockets.open }),
      address,
    );
    runSocketTable(sockets, address);
  }
}

void t.test(
  "sockets: dgram when it is asked for, and a reason wherever batched ones can't be had",
  async (t) => {
    t.match(await chooseDatagramSockets("dgram"), { kind: "dgram", missing: undefined });
    const auto = await chooseDatagramSockets("auto");
    t.equal(auto.missing === undefined, auto.kind === "batched");
  },
);
