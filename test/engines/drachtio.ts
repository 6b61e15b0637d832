import { EventEmitter, once } from "node:events";
import t from "tap";
import { createDrachtioEngine } from "../../src/engines/drachtio/drachtio-engine.ts";
import type { EngineParts } from "../../src/engines/engine.ts";
import { askSipAddress } from "../support/drachtio-admin.ts";
import { realServer } from "../support/drachtio-relay.ts";
import { openTestDrachtio } from "../support/drachtio-server.ts";
import { differences } from "./drachtio-differences.ts";
import { runScenarios, type RunningEngine } from "./scenarios.ts";

/** Starts the engine on a server and waits until they are connected. */
async function connect(
  parts: EngineParts,
  server: { readonly host: string; readonly port: number; readonly secret: string },
  sip: { readonly address: string; readonly port: number },
): Promise<RunningEngine> {
  const link = new EventEmitter();
  const isUp = once(link, "up");
  const listen = [
    { transport: "udp" as const, id: `udp:${sip.address}:${sip.port}`, address: sip.address, port: sip.port },
  ];
  const engine = createDrachtioEngine(
    { ...parts, listen, linkChanged: (_id, up) => link.emit(up ? "up" : "down") },
    { servers: [server], reports: true },
  );
  await engine.start();
  await isUp;
  return { engine, ...sip, close: () => engine.stop() };
}

async function onTestServer(parts: EngineParts): Promise<RunningEngine> {
  const server = await openTestDrachtio();
  const { host, adminPort: port, secret, sipPort } = server;
  const running = await connect(parts, { host, port, secret }, { address: host, port: sipPort });
  return {
    ...running,
    async close() {
      await running.close();
      await server.close();
    },
  };
}

if (realServer === undefined) {
  t.pass("drachtio-server", {
    skip: "DRACHTIO_HOST is not set: the engine runs on the test server, which proves nothing about drachtio",
  });
  runScenarios("drachtio engine, test server", onTestServer, "127.0.0.1", differences);
} else {
  const server = realServer;
  t.comment(`the engine runs on the drachtio-server at ${server.host}:${server.port}`);
  runScenarios(
    "drachtio engine, drachtio-server",
    async (parts) => connect(parts, server, await askSipAddress(server)),
    "127.0.0.1",
    differences,
  );
}
