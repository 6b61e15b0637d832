import { naming } from "../support/events.ts";
import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import t from "tap";
import { createDrachtioEngine } from "../../src/engines/drachtio/drachtio-engine.ts";
import { createEmbeddedEngine } from "../../src/engines/embedded.ts";
import type { Engine, EngineParts } from "../../src/engines/engine.ts";
import { createCounters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { openDrachtio } from "../support/drachtio-relay.ts";
import { compileText } from "../support/proxy.ts";
import { freePort } from "../support/free-port.ts";
import { inTime, until } from "../support/until.ts";

const address = "127.0.0.1";

function partsOf(policyText: string, port: number): EngineParts {
  const policy = compileText(policyText);
  return {
    listen: [{ id: `udp:${address}:${port}`, transport: "udp", address, port }],
    policy: () => policy,
    state: createScreeningState(policy.tables),
    counters: createCounters(),
    key: new Uint8Array(32).fill(7),
    naming,
    happened: () => undefined,
    fault: (error) => t.fail(String(error)),
  };
}

async function openSocket(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}

async function start(engine: Engine): Promise<Engine> {
  await engine.start();
  await until(() => engine.isReady());
  return engine;
}

void t.test("sigwall in front of drachtio: what the server would let through never reaches it", async (t) => {
  const server = await openDrachtio();
  const [caller, core] = [await openSocket(), await openSocket()];
  const port = await freePort(address);
  const front = await start(
    createEmbeddedEngine(
      partsOf(
        `
version: 1
trunks:
  - { id: core, side: core, match: { addresses: [${address}], ports: [${server.sipPort}] } }
  - { id: lease, side: lessee, match: { addresses: [${address}], ports: [${caller.address().port}] }, lessee: bank, areaCode: "10", nextHops: ["sip:${address}:${server.sipPort}"] }
lessees:
  - { id: bank, numbers: bank.csv }
`,
        port,
      ),
    ),
  );
  // The application behind: it takes what comes from the filter, and nothing else is said to send anything.
  const behind = await start(
    createDrachtioEngine(
      partsOf(
        `
version: 1
trunks:
  - { id: filter, side: national, match: { addresses: [${address}], ports: [${port}] }, nextHops: ["sip:${address}:${core.address().port}"] }
rules: { display-name: { mode: off } }
`,
        server.sipPort,
      ),
      {
        servers: [{ host: server.host, port: server.adminPort, secret: server.secret }],
        reports: true,
      },
    ),
  );

  /** Sends a request and says what came of it: the method at the core, or the status at the caller. */
  async function outcome(message: Buffer, callId: string): Promise<string> {
    const heard = new Promise<string>((resolve) => {
      core.on("message", (bytes) => {
        if (bytes.includes(callId)) resolve(bytes.toString("latin1").split(" ", 1)[0] ?? "");
      });
      caller.on("message", (bytes) => {
        const text = bytes.toString("latin1");
        if (text.includes(callId) && !text.startsWith("SIP/2.0 1")) resolve(text.slice(8, 11));
      });
    });
    caller.send(message, port, address);
    const result = await inTime(heard, () => `nothing came of ${callId}`);
    core.removeAllListeners("message");
    caller.removeAllListeners("message");
    return result;
  }

  const run = `${process.pid}x${Date.now().toString(36)}`;
  const request = (callId: string, lines: readonly string[], from = "01087654321"): string =>
    [
      `INVITE sip:02787654321@${address}:${port} SIP/2.0`,
      `Via: SIP/2.0/UDP ${address}:${caller.address().port};branch=z9hG4bK${callId}`,
      "Max-Forwards: 70",
      `From: <sip:${from}@pbx>;tag=a`,
      `Call-ID: ${callId}`,
      "CSeq: 1 INVITE",
      "Contact: <sip:127.0.0.1:5061>",
      ...lines,
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n");
  const to = "To: <sip:02787654321@127.0.0.1>";
  const toServer = `Route: <sip:${address}:${server.sipPort};lr>`;
  const table: readonly (readonly [string, string, readonly string[], string?])[] = [
    ["a listed caller", "INVITE", [to]],
    ["another one", "403", [to], "01087654400"],
    ["a forged To tag and a Route to the server", "481", [`${to};tag=forged`, toServer]],
    [
      "a forged To tag and a Route to the filter",
      "481",
      [`${to};tag=forged`, `Route: <sip:${address}:${port};lr>`],
    ],
    ["a Route to the server", "403", [to, toServer]],
    ["a NUL", "400", [to, "Subject: a\0b"]],
  ];
  for (const [index, [what, expected, lines, from]] of table.entries()) {
    const callId = `top${run}n${index}`;
    t.equal(await outcome(Buffer.from(request(callId, lines, from), "latin1"), callId), expected, what);
  }
  await Promise.all([front.stop(), behind.stop()]);
  await server.close();
  caller.close();
  core.close();
});
