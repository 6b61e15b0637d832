import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { startFilter, type Filter } from "../cli/filter-process.ts";
import { askSipAddress } from "../support/drachtio-admin.ts";
import { realServer } from "../support/drachtio-relay.ts";
import { openTestDrachtio } from "../support/drachtio-server.ts";
import { fieldOf } from "../support/drachtio-stack.ts";
import { PATIENCE } from "../support/until.ts";

const address = "127.0.0.1";
/** How long a call is waited for that a killed application may have taken. Milliseconds. */
const SILENCE = 1000;

async function openEnd(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}

/** What a call heard: statuses at the caller, "forwarded" when it came to the core. */
interface Call {
  readonly heard: string[];
  /** Resolves when something is heard; undefined: nothing within `most` milliseconds. */
  next(most?: number): Promise<string | undefined>;
}

/** A caller, and a core that is always busy. */
interface Ends {
  readonly ports: { readonly caller: number; readonly core: number };
  place(): Call;
  close(): void;
}

/** A message with fields of another one. */
const reply = (text: string, start: string, names: RegExp, more: readonly string[]): string =>
  [
    start,
    ...text.split("\r\n").filter((line) => names.test(line)),
    ...more,
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");

async function openEnds(sipPort: number): Promise<Ends> {
  const [caller, core] = [await openEnd(), await openEnd()];
  const run = `kill${process.pid}x${Date.now().toString(36)}n`;
  const calls = new Map<string, { readonly heard: string[]; told: () => void }>();
  const tell = (text: string, word: string): void => {
    const call = calls.get(fieldOf(text, "Call-ID"));
    call?.heard.push(word);
    call?.told();
  };
  core.on("message", (bytes, { port }) => {
    const text = bytes.toString("latin1");
    if (!text.startsWith("INVITE ")) return;
    tell(text, "forwarded");
    const to = `To: ${fieldOf(text, "To")};tag=core`;
    core.send(reply(text, "SIP/2.0 486 Busy", /^(?:via|from|call-id|cseq):/i, [to]), port, address);
  });
  caller.on("message", (bytes, { port }) => {
    const text = bytes.toString("latin1");
    const status = text.slice("SIP/2.0 ".length, "SIP/2.0 200".length);
    tell(text, status);
    const start = `ACK sip:1@${address} SIP/2.0`;
    if (!status.startsWith("1"))
      caller.send(reply(text, start, /^(?:via|from|to|call-id):/i, ["CSeq: 1 ACK"]), port, address);
  });
  return {
    ports: { caller: caller.address().port, core: core.address().port },
    place() {
      const callId = `${run}${calls.size}`;
      const call = { heard: [] as string[], told: (): void => undefined };
      calls.set(callId, call);
      const invite = [
        `INVITE sip:02787654321@${address}:${sipPort} SIP/2.0`,
        `Via: SIP/2.0/UDP ${address}:${caller.address().port};branch=z9hG4bK${callId}`,
        "Max-Forwards: 70",
        `From: <sip:01087654321@${address}>;tag=${callId}`,
        `To: <sip:02787654321@${address}>`,
        `Call-ID: ${callId}`,
        "CSeq: 1 INVITE",
        `Contact: <sip:${address}:5061>`,
        "Content-Length: 0",
        "",
        "",
      ];
      caller.send(invite.join("\r\n"), sipPort, address);
      let read = 0;
      return {
        heard: call.heard,
        async next(most = PATIENCE) {
          if (read === call.heard.length)
            await new Promise<void>((resolve) => {
              const timer = setTimeout(resolve, most);
              call.told = () => {
                clearTimeout(timer);
                resolve();
              };
            });
          return call.heard[read++];
        },
      };
    },
    close() {
      caller.close();
      core.close();
    },
  };
}

/** The first that a call hears beside 100. */
async function outcomeOf(call: Call, most?: number): Promise<string | undefined> {
  let word = await call.next(most);
  while (word === "100") word = await call.next(most);
  return word;
}

async function openServer(): Promise<{
  readonly place: { readonly host: string; readonly port: number; readonly secret: string };
  readonly close: () => Promise<void>;
}> {
  if (realServer !== undefined) return { place: realServer, close: () => Promise.resolve() };
  const server = await openTestDrachtio();
  return {
    place: { host: server.host, port: server.adminPort, secret: server.secret },
    close: () => server.close(),
  };
}

async function startConnected(config: string): Promise<Filter> {
  const filter = await startFilter(config);
  await filter.logged(["drachtio server is connected"]);
  return filter;
}

void t.test(
  "killed with calls pending: those hear 100 only, the next ones 503, and a new one takes all",
  async (t) => {
    const server = await openServer();
    const sip = await askSipAddress(server.place);
    const ends = await openEnds(sip.port);
    const folder = t.testdir();
    const config = join(folder, "sigwall.yaml");
    const match = (port: number): string => `match: { addresses: [${address}], ports: [${port}] }`;
    mkdirSync(join(folder, "lists"));
    writeFileSync(join(folder, "lists/bank.csv"), "number\n+861087654321\n");
    writeFileSync(
      join(folder, "policy.yaml"),
      `version: 1
trunks:
  - { id: core, side: core, ${match(ends.ports.core)} }
  - { id: lease, side: lessee, ${match(ends.ports.caller)}, lessee: bank, areaCode: "10", nextHops: ["sip:${address}:${ends.ports.core}"] }
lessees:
  - { id: bank, numbers: lists/bank.csv }
`,
    );
    writeFileSync(
      config,
      `engine: drachtio
listen: ["udp:${address}:${sip.port}"]
drachtio: { servers: [${JSON.stringify(server.place)}] }
admin: 127.0.0.1:0
policy: policy.yaml
keyFile: own.key
drainSeconds: 0
`,
    );

    const killed = await startConnected(config);
    t.equal(await outcomeOf(ends.place()), "forwarded");
    // It takes what the server sends, and says nothing: as at the moment of a crash.
    killed.signal("SIGSTOP");
    const pending = [ends.place(), ends.place()];
    for (const call of pending) t.equal(await call.next(), "100");
    killed.signal("SIGKILL");
    await killed.ended;

    // The server hears of it when it next reads its connection; a call in between would be one more that waits.
    let next = await outcomeOf(ends.place(), SILENCE);
    for (let tries = 0; next === undefined && tries < 60; tries++)
      next = await outcomeOf(ends.place(), SILENCE);
    t.equal(next, "503", "by the server itself: nobody gets through");

    const following = await startConnected(config);
    for (let i = 0; i < 4; i++)
      t.equal(await outcomeOf(ends.place()), "forwarded", "none is given to the one that is gone");
    t.equal(await following.stop(), 0);
    for (const call of pending) t.same(call.heard, ["100"], "those that waited are answered by nobody");
    ends.close();
    await server.close();
  },
);
