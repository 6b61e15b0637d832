import { naming } from "../support/events.ts";
import t from "tap";
import { chooseDatagramSockets } from "../../src/wire/udp/datagram-sockets.ts";
import { createEmbeddedEngine } from "../../src/engines/embedded.ts";
import type { EngineParts } from "../../src/engines/engine.ts";
import { createCounters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { basicPolicy, compileText } from "../support/proxy.ts";
import { until } from "../support/until.ts";
import { runScenarios, type RunningEngine } from "./scenarios.ts";
import { runSocketTable } from "../wire/sockets.ts";

async function start(parts: EngineParts): Promise<RunningEngine> {
  const engine = createEmbeddedEngine(parts);
  const [bound = ""] = await engine.start();
  const port = Number(bound.slice(bound.lastIndexOf(":") + 1));
  return { engine, address: parts.listen[0]?.address ?? "", port, close: () => engine.stop() };
}

for (const kind of ["dgram", "batched"] as const) {
  const sockets = await chooseDatagramSockets(kind);
  if (sockets.kind !== kind) {
    t.pass("batched sockets", { skip: `left out: ${sockets.missing ?? ""}` });
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

void t.test("time passes on when a part of it fails: counted, told, and no end of the process", async (t) => {
  const policy = compileText(basicPolicy);
  let isBroken = false;
  const asked = { whileBroken: 0 };
  const counters = createCounters();
  const told: unknown[] = [];
  const engine = createEmbeddedEngine({
    listen: [
      { id: "udp:127.0.0.1:1", transport: "udp", address: "127.0.0.1", port: 0 },
      { id: "tcp:127.0.0.1:2", transport: "tcp", address: "127.0.0.1", port: 0 },
    ],
    streams: { connections: 4, perSource: 4, idleSeconds: 60, messageSeconds: 10, unreadMegabytes: 64 },
    policy() {
      if (!isBroken) return policy;
      asked.whileBroken++;
      throw new Error("no policy");
    },
    state: createScreeningState(policy.tables),
    counters,
    key: new Uint8Array(32).fill(7),
    naming,
    happened: () => undefined,
    fault: (error) => told.push(error),
  });
  await engine.start();
  isBroken = true;
  await until(() => asked.whileBroken >= 8);
  isBroken = false;
  t.equal(counters.faults, asked.whileBroken, "every part of every tick is a fault of its own");
  t.equal(told.length, counters.faults);
  t.equal(engine.isReady(), true);
  await engine.stop();
});
