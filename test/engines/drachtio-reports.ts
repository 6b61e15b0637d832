// What the server reports of honest calls raises no alarm, and counts their channels.
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import t from "tap";
import { createDrachtioEngine } from "../../src/engines/drachtio/drachtio-engine.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { createCounters, type Counters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { openThief } from "../support/drachtio-admin.ts";
import { openDrachtio } from "../support/drachtio-relay.ts";
import type { TestDrachtio } from "../support/drachtio-server.ts";
import { fieldOf } from "../support/drachtio-stack.ts";
import { keepDecisions, naming } from "../support/events.ts";
import { compileText } from "../support/proxy.ts";
import { until } from "../support/until.ts";

const address = "127.0.0.1";
const run = `${process.pid}x${Date.now().toString(36)}`;
let serial = 0;

async function openSocket(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}

const linesOf = (text: string, name: string): readonly string[] =>
  text.split("\r\n").filter((line) => line.toLowerCase().startsWith(`${name}:`));

/** Two next hops that answer as they are told, a caller, a stranger, and the engine by a server. */
interface Stage {
  readonly server: TestDrachtio;
  readonly engine: Engine;
  readonly counters: Counters;
  readonly unjudged: string[];
  /** Final statuses that the caller has got. */
  readonly statuses: string[];
  readonly channels: () => number;
  /** Places a call; the next hops answer it with these statuses, undefined: with none. */
  place(statuses: readonly (number | undefined)[], from?: Socket): void;
  /** The caller hangs up the call that was answered last. */
  hangUp(): void;
  readonly stranger: Socket;
  /** Call-ID of the call that the stranger placed last. */
  readonly strangersCall: () => string;
  close(): Promise<void>;
}

async function openStage(): Promise<Stage> {
  const server = await openDrachtio();
  const [caller, stranger] = [await openSocket(), await openSocket()];
  const hops = [await openSocket(), await openSocket()];
  const policy = compileText(`
version: 1
trunks:
  - { id: lease, side: lessee, match: { addresses: [${address}], ports: [${caller.address().port}] }, lessee: bank, areaCode: "10", nextHops: [${hops.map((hop, index) => `{ uri: "sip:${address}:${hop.address().port}", priority: ${index + 1} }`).join(", ")}] }
nextHopHealth: { probe: off, missesUntilDown: 10, timeoutSeconds: 1 }
lessees:
  - { id: bank, numbers: bank.csv }
`);
  const counters = createCounters();
  const unjudged: string[] = [];
  const statuses: string[] = [];
  const engine = createDrachtioEngine(
    {
      listen: [{ transport: "udp", id: `udp:${address}:${server.sipPort}`, address, port: server.sipPort }],
      policy: () => policy,
      state: createScreeningState(policy.tables),
      counters,
      key: new Uint8Array(32).fill(7),
      naming,
      happened: keepDecisions([]),
      fault: (error) => t.fail(String(error)),
      unjudged: ({ report, callId }) => unjudged.push(`${report} ${callId}`),
    },
    { servers: [{ host: server.host, port: server.adminPort, secret: server.secret }], reports: true },
  );
  let plan: readonly (number | undefined)[] = [];
  let answer = "";
  let strangersCall = "";
  hops.forEach((hop, index) =>
    hop.on("message", (bytes, { port }) => {
      const text = bytes.toString("latin1");
      const status = text.startsWith("INVITE ") ? plan[index] : 200;
      if (text.startsWith("ACK ") || status === undefined) return;
      const to = text.startsWith("INVITE ") ? `${fieldOf(text, "To")};tag=hop${index}` : fieldOf(text, "To");
      const kept = ["via", "from", "call-id", "cseq", "record-route"].flatMap((name) => linesOf(text, name));
      const contact = `Contact: <sip:${address}:${hop.address().port}>`;
      const lines = [`SIP/2.0 ${status} X`, ...kept, `To: ${to}`, contact, "Content-Length: 0", "", ""];
      hop.send(lines.join("\r\n"), port, address);
    }),
  );
  /** A request within the call that was answered, or the ACK of a refusal. */
  const within = (method: string, cseq: number): string => {
    const isAnswered = answer.startsWith("SIP/2.0 2");
    const via = `Via: SIP/2.0/UDP ${address}:${caller.address().port};branch=z9hG4bK${run}w${++serial}`;
    const routes = linesOf(answer, "record-route").map((line) => line.replace(/record-/i, ""));
    const target = /<([^>]*)>/.exec(fieldOf(answer, "Contact"))?.[1] ?? `sip:${address}`;
    return [
      `${method} ${target} SIP/2.0`,
      ...(isAnswered ? [via, ...routes] : linesOf(answer, "via")),
      "Max-Forwards: 70",
      ...["from", "to", "call-id"].flatMap((name) => linesOf(answer, name)),
      `CSeq: ${cseq} ${method}`,
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n");
  };
  for (const socket of [caller, stranger])
    socket.on("message", (bytes, { port }) => {
      const text = bytes.toString("latin1");
      if (text.startsWith("SIP/2.0 1") || !fieldOf(text, "CSeq").endsWith("INVITE")) return;
      answer = text;
      statuses.push(text.slice(8, 11));
      socket.send(within("ACK", 1), port, address);
    });
  await engine.start();
  await until(() => engine.isReady());
  return {
    server,
    engine,
    counters,
    unjudged,
    statuses,
    stranger,
    strangersCall: () => strangersCall,
    channels: () => engine.calls()?.get("lease")?.answered ?? 0,
    place(steps, from = caller) {
      plan = steps;
      serial++;
      if (from === stranger) strangersCall = `reports-${run}-${serial}`;
      const lines = [
        `INVITE sip:02787654321@${address}:${server.sipPort} SIP/2.0`,
        `Via: SIP/2.0/UDP ${address}:${from.address().port};branch=z9hG4bK${run}r${serial}`,
        "Max-Forwards: 70",
        `From: <sip:01087654321@${address}>;tag=${run}a${serial}`,
        `To: <sip:02787654321@${address}>`,
        `Call-ID: reports-${run}-${serial}`,
        "CSeq: 1 INVITE",
        `Contact: <sip:${address}:${from.address().port}>`,
        "Content-Length: 0",
        "",
        "",
      ];
      from.send(lines.join("\r\n"), server.sipPort, address);
    },
    hangUp: () => caller.send(within("BYE", 2), server.sipPort, address),
    async close() {
      await engine.stop();
      await server.close();
      for (const socket of [caller, stranger, ...hops]) socket.close();
    },
  };
}

void t.test("a call that the second next hop answers counts, and its BYE is no alarm", async (t) => {
  const stage = await openStage();
  for (const [what, statuses] of [
    ["the first answers", [200]],
    ["the first refuses with 503", [503, 200]],
    ["the first refuses with 486", [486, 200]],
    ["the first refuses with 603", [603, 200]],
    ["the first is silent", [undefined, 200]],
    ["the answer is a 202", [503, 202]],
  ] as const) {
    const calls = stage.statuses.length;
    stage.place(statuses);
    await until(() => stage.statuses.length > calls);
    t.equal(stage.statuses.at(-1), String(statuses.at(-1)), what);
    await until(() => stage.channels() === 1);
    stage.hangUp();
    await until(() => stage.channels() === 0);
  }
  for (const statuses of [
    [486, 503],
    [603, 486],
  ]) {
    const calls = stage.statuses.length;
    stage.place(statuses);
    await until(() => stage.statuses.length > calls);
    await until(() => (stage.engine.calls()?.get("lease")?.setup ?? 0) === 0);
  }
  t.same(stage.unjudged, []);
  await stage.close();
});

void t.test("the INVITE of a stranger that we refuse is no alarm", async (t) => {
  const stage = await openStage();
  stage.place([200], stage.stranger);
  await until(() => stage.statuses.length === 1);
  t.same(stage.statuses, ["403"]);
  t.equal(stage.counters.unknownSource, 1);
  // One of two later calls goes to somebody else. Its alarm comes after all those of calls before it.
  const thief = await openThief(stage.server);
  stage.place([486]);
  stage.place([486]);
  await until(() => stage.unjudged.length > 0);
  t.match(stage.unjudged, [/^attempt /]);
  t.notOk(stage.unjudged[0]?.endsWith(stage.strangersCall()), "the stranger's is none");
  thief.destroy();
  await stage.close();
});
