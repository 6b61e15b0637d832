import { keepDecisions, naming } from "../support/events.ts";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { Buffer } from "node:buffer";
import type { CallEvent } from "../../src/domain/call.ts";
import type { Decision } from "../../src/domain/decision.ts";
import { createDrachtioEngine } from "../../src/engines/drachtio/drachtio-engine.ts";
import type { TlsOptions } from "../../src/engines/drachtio/place.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { createCounters, type Counters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { openDrachtio } from "../support/drachtio-relay.ts";
import type { TestDrachtio } from "../support/drachtio-server.ts";
import { fieldOf } from "../support/drachtio-stack.ts";
import { compileText } from "../support/proxy.ts";
import { inTime } from "../support/until.ts";

/** A caller, a called side, a server and the engine between them, on loopback. */
export interface Place {
  readonly server: TestDrachtio;
  readonly engine: Engine;
  readonly counters: Counters;
  readonly decisions: Decision[];
  readonly faults: unknown[];
  readonly unjudged: string[];
  /** Resolves with the next change of the link: "up", or "down: why". */
  readonly changed: () => Promise<string>;
  /** Sends an INVITE and resolves with the first final answer's status, or "forwarded". */
  readonly call: (change?: (invite: string) => string | Buffer) => Promise<string>;
  readonly corePort: number;
  readonly close: () => Promise<void>;
}

/** A real server remembers the calls of earlier runs. */
const run = `${process.pid}x${Date.now().toString(36)}`;
let serial = 0;

function responseTo(request: string, status: number): string {
  const kept = request.split("\r\n").filter((line) => /^(?:via|from|call-id|cseq|record-route):/i.test(line));
  const to = `To: ${fieldOf(request, "To")};tag=core`;
  return [`SIP/2.0 ${status} No`, ...kept, to, "Content-Length: 0", "", ""].join("\r\n");
}

function ackOf(response: string): string {
  const kept = response.split("\r\n").filter((line) => /^(?:via|from|to|call-id):/i.test(line));
  return ["ACK sip:1@127.0.0.1 SIP/2.0", ...kept, "CSeq: 1 ACK", "Content-Length: 0", "", ""].join("\r\n");
}

export async function openPlace(
  options: {
    readonly secret?: string;
    /** Takes every event. */
    readonly happened?: (event: CallEvent) => void;
    /** The server to connect to by TLS, and what is trusted there. */
    readonly byTls?: { readonly server: TestDrachtio; readonly tls: TlsOptions };
  } = {},
): Promise<Place> {
  const server = options.byTls?.server ?? (await openDrachtio());
  const [caller, core] = [createSocket("udp4"), createSocket("udp4")];
  /** What became of each call, by Call-ID. */
  const waiting = new Map<string, (outcome: string) => void>();
  const settle = (text: string, outcome: string): void => {
    const callId = fieldOf(text, "Call-ID");
    waiting.get(callId)?.(outcome);
    waiting.delete(callId);
  };
  for (const socket of [caller, core]) {
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
  }
  core.on("message", (bytes, { port }) => {
    const text = bytes.toString("latin1");
    if (!text.startsWith("INVITE ")) return;
    settle(text, "forwarded");
    core.send(responseTo(text, 486), port, "127.0.0.1");
  });
  caller.on("message", (bytes, { port }) => {
    const text = bytes.toString("latin1");
    const status = text.slice("SIP/2.0 ".length, "SIP/2.0 200".length);
    if (status.startsWith("1")) return;
    settle(text, status);
    if (fieldOf(text, "CSeq").endsWith("INVITE")) caller.send(ackOf(text), port, "127.0.0.1");
  });
  const policy = compileText(`
version: 1
trunks:
  - { id: core, side: core, match: { addresses: [127.0.0.1], ports: [${core.address().port}] } }
  - { id: lease, side: lessee, match: { addresses: [127.0.0.1], ports: [${caller.address().port}] }, lessee: bank, areaCode: "10", nextHops: ["sip:127.0.0.1:${core.address().port}"] }
lessees:
  - { id: bank, numbers: bank.csv }
`);
  const changes: string[] = [];
  const watchers: ((change: string) => void)[] = [];
  const counters = createCounters();
  const decisions: Decision[] = [];
  const faults: unknown[] = [];
  const unjudged: string[] = [];
  const engine = createDrachtioEngine(
    {
      listen: [
        {
          transport: "udp",
          id: `udp:127.0.0.1:${server.sipPort}`,
          address: "127.0.0.1",
          port: server.sipPort,
        },
      ],
      policy: () => policy,
      state: createScreeningState(policy.tables),
      counters,
      key: new Uint8Array(32).fill(7),
      naming,
      happened(event) {
        keepDecisions(decisions)(event);
        options.happened?.(event);
      },
      fault: (error) => faults.push(error),
      unjudged: ({ report, callId }) => unjudged.push(`${report} ${callId}`),
      linkChanged: (_id, isUp, why) => {
        const change = isUp ? "up" : `down: ${why}`;
        const watcher = watchers.shift();
        if (watcher === undefined) changes.push(change);
        else watcher(change);
      },
    },
    {
      servers: [
        {
          host: server.host,
          port: server.adminPort,
          secret: options.secret ?? server.secret,
          ...(options.byTls === undefined ? {} : { tls: options.byTls.tls }),
        },
      ],
      reports: true,
    },
  );
  await engine.start();
  const place: Place = {
    server,
    engine,
    counters,
    decisions,
    faults,
    unjudged,
    changed() {
      const next = new Promise<string>((resolve) => {
        const change = changes.shift();
        if (change === undefined) watchers.push(resolve);
        else resolve(change);
      });
      return inTime(next, () => "the link has not changed");
    },
    corePort: core.address().port,
    call(change = (text) => text) {
      serial++;
      const invite = [
        `INVITE sip:02787654321@127.0.0.1:${server.sipPort} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${caller.address().port};branch=z9hG4bK${run}n${serial}`,
        "Max-Forwards: 70",
        `From: <sip:01087654321@127.0.0.1>;tag=${run}a${serial}`,
        "To: <sip:02787654321@127.0.0.1>",
        `Call-ID: call-${run}-${serial}`,
        "CSeq: 1 INVITE",
        "Contact: <sip:127.0.0.1:5061>",
        "Content-Length: 0",
        "",
        "",
      ].join("\r\n");
      const changed = change(invite);
      const bytes = typeof changed === "string" ? Buffer.from(changed, "latin1") : changed;
      caller.send(bytes, server.sipPort, "127.0.0.1");
      const callId = `call-${run}-${serial}`;
      const outcome = new Promise<string>((resolve) => waiting.set(callId, resolve));
      return inTime(outcome, () => `nothing came of ${callId}`);
    },
    async close() {
      await engine.stop();
      await server.close();
      caller.close();
      core.close();
    },
  };
  return place;
}
