import { keepDecisions, naming } from "../support/events.ts";
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createRequire } from "node:module";
import { connect, type Socket } from "node:net";
import { queryObjects } from "node:v8";
import t from "tap";
import type { Decision } from "../../src/domain/decision.ts";
import { createDrachtioEngine } from "../../src/engines/drachtio/drachtio-engine.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { createCounters, type Counters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { createAuthority } from "../support/certificates.ts";
import { openDrachtio } from "../support/drachtio-relay.ts";
import { openTestDrachtio, type TestDrachtio } from "../support/drachtio-server.ts";
import { fieldOf } from "../support/drachtio-stack.ts";
import { compileText } from "../support/proxy.ts";

/** A caller, a called side, a server and the engine between them, on loopback. */
interface Place {
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

const long = (name: string): string => `"${"x".repeat(8000)}" <sip:${name}@127.0.0.1>`;

const unlisted = (invite: string): string => invite.replace("sip:01087654321", "sip:01087654400");

const withBody = (body: string) => (invite: string) =>
  invite.replace(
    "Content-Length: 0\r\n\r\n",
    `Content-Type: multipart/mixed;boundary=b\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );

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

async function openPlace(options: { readonly secret?: string } = {}): Promise<Place> {
  const server = await openDrachtio();
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
      happened: keepDecisions(decisions),
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
      servers: [{ host: server.host, port: server.adminPort, secret: options.secret ?? server.secret }],
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
    changed: () =>
      new Promise((resolve) => {
        const change = changes.shift();
        if (change === undefined) watchers.push(resolve);
        else resolve(change);
      }),
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
      return new Promise((resolve) => waiting.set(`call-${run}-${serial}`, resolve));
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

void t.test(
  "a server that goes while calls are on: not ready, calls get 503, and it comes back",
  async (t) => {
    const place = await openPlace();
    t.equal(await place.changed(), "up");
    t.equal(await place.call(), "forwarded");
    place.server.hangUp();
    t.equal(await place.changed(), "down: the server closed the connection");
    t.notOk(place.engine.isReady());
    t.equal(await place.call(), "503", "by the server itself: nobody is asked, nobody gets through");
    t.equal(await place.changed(), "up");
    t.ok(place.engine.isReady());
    t.equal(await place.call(), "forwarded");
    await place.close();
  },
);

void t.test("a wrong secret: not ready, and told in words", async (t) => {
  const place = await openPlace({ secret: "guess" });
  t.equal(await place.changed(), "down: the secret was refused");
  t.notOk(place.engine.isReady());
  t.equal(await place.call(), "503");
  await place.close();
});

void t.test("the engine ends: the server refuses by itself, another engine goes on", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  await place.engine.stop();
  while (place.server.clients() > 0) await new Promise((resolve) => setImmediate(resolve));
  t.equal(await place.call(), "503");
  await place.engine.start();
  t.equal(await place.changed(), "up");
  t.equal(await place.call(), "forwarded");
  await place.close();
});

void t.test("a server that stops reading is left, and found again", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  place.server.stall();
  t.equal(await place.changed(), "down: the server obeys no more");
  t.equal(await place.changed(), "up");
  t.equal(await place.call(), "forwarded");
  await place.close();
});

void t.test("what drachtio-srf can't read ends the link, never the process", async (t) => {
  for (const babble of ["what#is this", "5#a|b|c", "12#x|nonsense|yz"]) {
    const place = await openPlace();
    t.equal(await place.changed(), "up");
    place.server.babble(babble);
    t.equal(await place.changed(), "down: the server sent what can't be read", babble);
    t.equal(place.faults.length, 1);
    t.equal(await place.changed(), "up");
    t.equal(await place.call(), "forwarded");
    await place.close();
  }
});

void t.test("no frame to the server is ever too long, whatever a caller writes", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  const status = await place.call((invite) =>
    invite
      .replace("From: <sip:01087654321@127.0.0.1>", `From: ${long("01087654400")}`)
      .replace("To: <sip:02787654321@127.0.0.1>", `To: ${long("02787654321")}`),
  );
  t.equal(status, "403", "refused, and the answer arrived");
  t.equal(
    await place.call((invite) => invite.replace("INVITE sip:", `INVITE sip:${"0".repeat(300)}`)),
    "414",
    "a target longer than drachtio keeps is none",
  );
  t.ok(Math.max(...place.server.frames.map((frame) => frame.length)) < 1000, "frames are short");
  t.equal(await place.call(), "forwarded");
  await place.close();
});

void t.test("refused calls leave nothing behind in the package", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  for (let i = 0; i < 20; i++) t.equal(await place.call(unlisted), "403");
  const Request: unknown = createRequire(import.meta.url)("drachtio-srf/lib/request.js");
  if (typeof Request !== "function") throw new Error("drachtio-srf has no class of requests");
  const kept = queryObjects(Request, { format: "count" });
  t.ok(kept < 10, `${kept} requests of 20 are kept`);
  await place.close();
});

void t.test("messages that drachtio shows otherwise than they came are refused", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  const isup = [
    "--b",
    "Content-Type: application/ISUP;version=itu-t92+",
    "",
    "\x01\x11\x48\x06\x03",
    "--b--",
    "",
  ].join("\r\n");
  const table: readonly (readonly [string, string, (invite: string) => string])[] = [
    [
      "octets that are no UTF-8 in a header",
      "forwarded",
      (invite) => invite.replace("From: <", 'From: "\xff" <'),
    ],
    ["UTF-8 in a header", "forwarded", (invite) => invite.replace("From: <", 'From: "\xe5\x8c\x97" <')],
    ["ISUP without NUL: readable by accident", "403", withBody(isup)],
    ["ISUP as it is", "400", withBody(isup.replace("\x06", "\x00"))],
    ["a label of ours", "400", (invite) => invite.replace("Contact:", "P-Sigwall-Label: fine\r\nContact:")],
    [
      "a Route of the caller's choice",
      "403",
      (invite) => invite.replace("Contact:", "Route: <sip:192.0.2.66;lr>\r\nContact:"),
    ],
    ["Proxy-Require", "420", (invite) => invite.replace("Contact:", "Proxy-Require: foo, bar\r\nContact:")],
  ];
  for (const [what, expected, change] of table) t.equal(await place.call(change), expected, what);
  await place.close();
});

/** Another application at the same server, as anybody can be who reaches its admin port: it takes calls and says nothing. */
async function openThief({ host, adminPort }: TestDrachtio): Promise<Socket> {
  const socket = connect(adminPort, host);
  const order = "thief|route|invite";
  socket.write(`${order.length}#${order}`);
  await once(socket, "data");
  return socket;
}

void t.test("calls that another application took are counted", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  const thief = await openThief(place.server);
  const stolen = once(thief, "data");
  const answered = [place.call(), place.call()];
  await stolen;
  t.equal(await Promise.race(answered), "forwarded", "one came here");
  await until(() => place.unjudged.length > 0);
  t.match(place.unjudged, [/^attempt call-\w+-\d+$/]);
  t.equal(place.counters.unjudgedAttempts, 1);
  thief.destroy();
  await place.close();
});

void t.test(
  "the server's hole: a forged To tag and a Route pass it; the BYE alone is reported",
  async (t) => {
    const place = await openPlace();
    t.equal(await place.changed(), "up");
    const forged = (invite: string): string =>
      invite
        .replace(
          "To: <sip:02787654321@127.0.0.1>",
          "Route: <sip:127.0.0.1;lr>\r\nTo: <sip:02787654321@127.0.0.1>;tag=forged",
        )
        .replace(/^INVITE \S+/, `INVITE sip:1@127.0.0.1:${place.corePort}`);
    t.equal(await place.call(forged), "forwarded", "nobody was asked");
    t.equal(place.decisions.length, 0);
    t.equal(place.counters.unjudgedAttempts, 0, "and nobody told");
    void place.call((invite) => forged(invite).replaceAll("INVITE", "BYE"));
    await until(() => place.unjudged.length > 0);
    t.match(place.unjudged, [/^release call-\w+-\d+$/]);
    t.equal(place.counters.unjudgedReleases, 1);
    await place.close();
  },
);

void t.test("keep-alives are answered; other requests are refused for what they are", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  for (const [method, expected] of [
    ["OPTIONS", "200"],
    ["MESSAGE", "405"],
    ["REGISTER", "405"],
    ["SUBSCRIBE", "405"],
  ] as const)
    t.equal(await place.call((invite) => invite.replaceAll("INVITE", method)), expected, method);
  await place.close();
});

async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 20));
}

void t.test("a link by TLS is checked, and is TLS again after it was lost", async (t) => {
  const authority = createAuthority(t.testdir());
  const { key, certificate } = authority.issue("drachtio", "DNS:drachtio.example,IP:127.0.0.1");
  const server = await openTestDrachtio({ tls: { key: key.toString(), cert: certificate.toString() } });
  const policy = compileText(
    "version: 1\ntrunks:\n  - { id: core, side: core, match: { addresses: [127.0.0.1] } }\n",
  );
  const link = async (ca: Buffer): Promise<{ changes: string[]; engine: Engine }> => {
    const changes: string[] = [];
    const engine = createDrachtioEngine(
      {
        listen: [{ id: "udp:127.0.0.1:9", transport: "udp", address: "127.0.0.1", port: 9 }],
        policy: () => policy,
        state: createScreeningState(policy.tables),
        counters: createCounters(),
        key: new Uint8Array(32).fill(7),
        naming,
        happened: () => undefined,
        fault: (error) => t.fail(String(error)),
        linkChanged: (_id, isUp, why) => changes.push(isUp ? "up" : why),
      },
      {
        servers: [
          {
            host: server.host,
            port: server.adminPort,
            secret: server.secret,
            tls: { ca: ca.toString(), servername: "drachtio.example" },
          },
        ],
        reports: true,
      },
    );
    await engine.start();
    return { changes, engine };
  };
  const trusting = await link(authority.certificate);
  await until(() => trusting.changes.length === 1);
  server.hangUp();
  await until(() => trusting.changes.length === 3);
  t.same(trusting.changes, ["up", "the server closed the connection", "up"]);
  await trusting.engine.stop();
  const wary = await link(createAuthority(t.testdir(), "other").certificate);
  await until(() => wary.changes.length === 1);
  t.match(wary.changes, [/certificate/]);
  t.notOk(wary.engine.isReady());
  await wary.engine.stop();
  await server.close();
});
