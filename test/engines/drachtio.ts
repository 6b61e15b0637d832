import t from "tap";
import { createDrachtioEngine } from "../../src/engines/drachtio-engine.ts";
import type { EngineParts } from "../../src/engines/engine.ts";
import { askSipAddress } from "../support/drachtio-admin.ts";
import { realServer } from "../support/drachtio-relay.ts";
import { openTestDrachtio } from "../support/drachtio-server.ts";
import { runScenarios, type Differences, type RunningEngine } from "./scenarios.ts";

/** What is otherwise on drachtio; the table in docs/drachtio.md is held against this one. */
export const differences: Differences = {
  "a roaming mobile, number withheld, to BYE of the caller": {
    status: 403,
    reaches: false,
    because: "drachtio can't take a number out",
  },
  "a roaming mobile, number withheld, to BYE of the called side": {
    status: 403,
    reaches: false,
    because: "drachtio can't take a number out",
  },
  "a display name that shows another number": {
    status: 403,
    reaches: false,
    because: "drachtio can't take a display name out",
  },
  "nobody known": { status: 403, reaches: false, because: "drachtio has said 100 already" },
};

/** Starts the engine on a server and waits until they are connected. */
async function connect(
  parts: EngineParts,
  server: { readonly host: string; readonly port: number; readonly secret: string },
  sip: { readonly address: string; readonly port: number },
): Promise<RunningEngine> {
  let connected: () => void = () => undefined;
  const isUp = new Promise<void>((resolve) => (connected = resolve));
  const listen = [
    { transport: "udp" as const, id: `udp:${sip.address}:${sip.port}`, address: sip.address, port: sip.port },
  ];
  const engine = createDrachtioEngine(
    { ...parts, listen, linkChanged: (_id, up) => (up ? connected() : undefined) },
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
  t.comment(
    "DRACHTIO_HOST is not set: the engine runs on the test server, which proves nothing about drachtio",
  );
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
