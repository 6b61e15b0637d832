import t from "tap";
import { chooseDatagramSockets } from "../../src/engines/datagram-sockets.ts";
import { createEmbeddedEngine } from "../../src/engines/embedded.ts";
import { runScenarios } from "./scenarios.ts";
import { runSocketTable } from "./sockets.ts";

for (const kind of ["dgram", "batched"] as const) {
  const sockets = await chooseDatagramSockets(kind);
  if (sockets.kind !== kind) {
    t.comment(`batched sockets are left out: ${sockets.missing ?? ""}`);
    continue;
  }
  for (const address of ["127.0.0.1", "::1"]) {
    runScenarios(
      `embedded engine, ${kind} sockets`,
      (parts) => createEmbeddedEngine({ ...parts, openPort: sockets.open }),
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
