import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { CallEvent } from "../../src/domain/call.ts";
import { createEmbeddedEngine } from "../../src/engines/embedded.ts";
import type { Engine } from "../../src/engines/engine.ts";
import { createCounters, type Counters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { naming } from "../support/events.ts";
import { compileText } from "../support/proxy.ts";
import { until } from "../support/until.ts";
import { hostOf, type Leg, paths, type Path } from "./path.ts";
import {
  acknowledgeRefusal,
  answer,
  answerLast,
  begin,
  receive,
  take,
  takeCall,
  within,
  withinByCalled,
} from "./script.ts";
import { freePort, isBound, isInstalled, startSipp } from "./sipp-process.ts";
import { openPipes, type Pipes } from "./stage.ts";

/** A call that the filter ends: what both sides play, and after how many messages that went on it is ended. */
interface EndedCall {
  readonly name: string;
  readonly caller: readonly string[];
  readonly called: readonly string[];
  readonly after: number;
  readonly status: number;
}

const invite = begin("INVITE", { offer: true, repeated: true });
const establish = [invite, receive(100), receive(180), receive(200), within("ACK")];
const establish2 = [takeCall, answer(100), answer(180), answer(200, { offer: true }), take("ACK")];
const endedByFilter = [take("BYE"), answerLast(200)];

const calls: readonly EndedCall[] = [
  {
    name: "answered: BYE to both sides",
    caller: [...establish, ...endedByFilter],
    called: [...establish2, ...endedByFilter],
    after: 5,
    status: 200,
  },
  {
    name: "after a re-INVITE of the called side",
    caller: [...establish, take("INVITE"), answerLast(200), take("ACK"), ...endedByFilter],
    called: [
      ...establish2,
      withinByCalled("INVITE", { cseq: 7, offer: true, repeated: true }),
      receive(200),
      withinByCalled("ACK", { cseq: 7 }),
      ...endedByFilter,
    ],
    after: 8,
    status: 200,
  },
  {
    name: "ringing: 403 to the caller, CANCEL to the called side",
    caller: [
      invite,
      receive(100),
      receive(180),
      receive(403, "Reason: Q.850;cause=21"),
      acknowledgeRefusal(),
    ],
    called: [takeCall, answer(100), answer(180), take("CANCEL"), answerLast(200), answer(487), take("ACK")],
    after: 3,
    status: 403,
  },
];

interface Filter {
  readonly engine: Engine;
  readonly counters: Counters;
  readonly events: readonly CallEvent[];
  readonly faults: readonly unknown[];
  /** Where the caller sends to. */
  readonly remote: string;
}

async function startEngine(
  path: Path,
  ports: { readonly caller: number; readonly called: number },
  pipes: Pipes,
): Promise<Filter> {
  const { caller, called } = path;
  const matchOf = (leg: Leg, port: number): string =>
    caller.peer === called.peer
      ? `{ addresses: ["${leg.peer}"], ports: [${port}] }`
      : `{ addresses: ["${leg.peer}"]${leg === caller && leg.transport === "tls" ? ", tlsName: pbx.example" : ""} }`;
  const policy = compileText(
    [
      "version: 1",
      "trunks:",
      `  - { id: core, side: core, match: ${matchOf(called, ports.called)} }`,
      `  - { id: lease, side: lessee, lessee: own, areaCode: "10", match: ${matchOf(caller, ports.caller)},`,
      `      nextHops: ["sip:${hostOf(called.peer)}:${pipes.called?.port ?? ports.called};transport=${called.transport}"] }`,
      "nextHopHealth: { probe: off }",
      "lessees: [{ id: own, numbers: own.csv }]",
    ].join("\n"),
    { "own.csv": "number\n+861087654300..+861087654399\n" },
  );
  const counters = createCounters();
  const events: CallEvent[] = [];
  const faults: unknown[] = [];
  const legs = [caller, called].filter(
    (leg, i) => i === 0 || leg.transport !== caller.transport || leg.filter !== caller.filter,
  );
  const engine = createEmbeddedEngine({
    listen: legs.map(({ transport, filter }) => ({
      id: `${transport}:${hostOf(filter)}:1`,
      transport,
      address: filter,
      port: 0,
    })),
    streams: { connections: 8, perSource: 8, idleSeconds: 60, messageSeconds: 10, unreadMegabytes: 64 },
    ...(pipes.material && { tls: pipes.material }),
    policy: () => policy,
    state: createScreeningState(policy.tables),
    counters,
    key: Buffer.from("0123456789abcdef"),
    naming,
    happened: (event) => void events.push(event),
    fault: (error) => faults.push(error),
  });
  const [bound = ""] = await engine.start();
  const direct = bound.slice(bound.indexOf(":") + 1);
  pipes.lead(Number(direct.slice(direct.lastIndexOf(":") + 1)));
  const remote = pipes.caller === undefined ? direct : `${caller.peer}:${pipes.caller.port}`;
  return { engine, counters, events, faults, remote };
}

if (!isInstalled) t.pass("SIPp", { skip: "sipp is not installed: no release is played" });
else {
  for (const path of paths) {
    void t.test(`calls that the filter ends, over ${path.name}`, { timeout: 300_000 }, async (t) => {
      const ports = { caller: await freePort(path.caller), called: await freePort(path.called) };
      const folder = mkdtempSync(join(tmpdir(), "sigwall-release-"));
      const pipes = await openPipes(folder, path, ports);
      const { engine, counters, events, faults, remote } = await startEngine(path, ports, pipes);
      for (const { name, caller, called, after, status } of calls) {
        const before = counters.forwarded;
        const common = { folder, seesRepeats: false };
        const answering = startSipp({
          ...common,
          side: "called",
          leg: path.called,
          port: ports.called,
          steps: called,
        });
        await Promise.race([isBound(path.called, ports.called), answering]);
        const calling = startSipp({
          ...common,
          side: "caller",
          leg: path.caller,
          port: ports.caller,
          steps: caller,
          remote,
        });
        await until(() => counters.forwarded - before >= after);
        const count = await engine.release(new Set(["lease"]));
        t.same(count, { released: 1, gone: 0, notReleasable: 0 }, `${name}: counted`);
        t.same(await Promise.all([calling, answering]), [undefined, undefined], `${name}: both sides`);
        const ended = events.filter(({ kind }) => kind === "ended").at(-1);
        t.match(ended, { by: "filter", how: "released", status, cause: 21 }, `${name}: told`);
      }
      t.equal(events.filter(({ kind }) => kind === "ended").length, calls.length, "each end is told once");
      t.equal(counters.strayResponses, 0);
      t.same(faults, []);
      await engine.stop();
      await pipes.close();
      rmSync(folder, { recursive: true });
    });
  }
}
