// The refusal of a call leaves when its evidence is on disk, by every engine for SIP and every transport.
import t from "tap";
import { createDrachtioEngine } from "../../src/engines/drachtio/drachtio-engine.ts";
import { createEmbeddedEngine } from "../../src/engines/embedded.ts";
import type { Engine, EngineParts } from "../../src/engines/engine.ts";
import { letAnswersLeave } from "../../src/engines/last-answers.ts";
import { createCounters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { openTestDrachtio } from "../support/drachtio-server.ts";
import { createTestEvidence } from "../support/evidence-log.ts";
import { naming } from "../support/events.ts";
import { compileText, header, request } from "../support/proxy.ts";
import { until } from "../support/until.ts";
import { openWire } from "../support/wire.ts";

const address = "127.0.0.1";

interface Opened {
  readonly engine: Engine;
  readonly port: number;
  readonly close: () => Promise<void>;
}

async function openEmbedded(parts: Omit<EngineParts, "listen">, transport: "udp" | "tcp"): Promise<Opened> {
  const engine = createEmbeddedEngine({
    ...parts,
    listen: [{ id: `${transport}:${address}:1`, transport, address, port: 0 }],
    streams: { connections: 4, perSource: 4, idleSeconds: 60, messageSeconds: 10, unreadMegabytes: 64 },
  });
  const [listening = ""] = await engine.start();
  return { engine, port: Number(listening.split(":").at(-1)), close: () => engine.stop() };
}

async function openDelegated(parts: Omit<EngineParts, "listen">): Promise<Opened> {
  const server = await openTestDrachtio();
  const { host, adminPort, secret, sipPort: port } = server;
  const listen = [{ id: `udp:${host}:${port}`, transport: "udp" as const, address: host, port }];
  const options = { servers: [{ host, port: adminPort, secret }], reports: false };
  const engine = createDrachtioEngine({ ...parts, listen }, options);
  await engine.start();
  await until(() => engine.isReady());
  const close = async (): Promise<void> => {
    await engine.stop();
    await server.close();
  };
  return { engine, port, close };
}

for (const [name, transport, open] of [
  ["embedded", "udp", (parts) => openEmbedded(parts, "udp")],
  ["embedded", "tcp", (parts) => openEmbedded(parts, "tcp")],
  ["drachtio", "udp", openDelegated],
] as const satisfies readonly (readonly [
  string,
  "udp" | "tcp",
  (parts: Omit<EngineParts, "listen">) => Promise<Opened>,
])[])
  void t.test(`held refusals: ${name}, ${transport}`, async (t) => {
    const heard: string[] = [];
    const peer = await openWire(transport, address, (message) => heard.push(message));
    const evidence = createTestEvidence("lease", "intl");
    const policy = compileText(`
version: 1
trunks:
  - { id: lease, side: lessee, match: { addresses: [${address}] }, lessee: bank, areaCode: "10", nextHops: ["sip:${address}:9"] }
nextHopHealth: { probe: off }
lessees:
  - { id: bank, numbers: bank.csv }
`);
    let decided = 0;
    const { engine, port, close } = await open({
      policy: () => policy,
      state: createScreeningState(policy.tables),
      counters: createCounters(),
      key: new Uint8Array(32).fill(7),
      naming,
      evidence,
      happened: ({ kind }) => void (decided += kind === "decided" ? 1 : 0),
      fault: (error) => t.fail(String(error)),
    });
    const call = async (id: string): Promise<void> => {
      const before = decided;
      const via = [`SIP/2.0/${transport.toUpperCase()} ${address}:${peer.port};branch=z9hG4bK${id}`];
      const from = `<sip:+861087654444@${address}>;tag=caller`;
      peer.send(request({ callId: id, via, from }), { address, port });
      await until(() => decided > before);
    };
    const finals = (): readonly (string | undefined)[] =>
      heard.filter((text) => !text.startsWith("SIP/2.0 1")).map((text) => header(text, "Call-ID"));
    await call("one");
    await call("two");
    evidence.keepAll();
    await call("three");
    engine.evidenceKept();
    await until(() => finals().length >= 2);
    t.same(finals().slice(0, 2), ["one", "two"], "the third one waits for its own evidence");
    await until(() => finals().length === 3);
    t.ok(engine.unkept() > 0, "it waits for 250 ms at most");
    await call("four");
    t.equal(engine.heldAnswers(), 1);
    await letAnswersLeave(engine);
    t.equal(engine.heldAnswers(), 0, "the end of the engine does not drop it");
    await close();
    await until(() => finals().length === 4);
    await peer.close();
  });
