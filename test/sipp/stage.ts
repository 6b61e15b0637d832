import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startFilter, type Filter } from "../cli/filter-process.ts";
import type { TlsMaterial } from "../../src/config/sigwall/tls-files.ts";
import { createAuthority, materialOf } from "../support/certificates.ts";
import { hostOf, type Leg, type Path } from "./path.ts";
import type { Scenario } from "./scenarios.ts";
import { freePort, isBound, listenForNothing, startSipp } from "./sipp-process.ts";
import { openCalledPipe, openCallerPipe, type TlsPipe } from "./tls-pipe.ts";

/** What came of one scenario. */
export interface Outcome {
  /** What went otherwise than scripted, in words of the side that met it. */
  readonly complaints: readonly string[];
  /** What the filter counted meanwhile. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A running filter with a lessee's trunk on one side and the core on the other. */
export interface Stage {
  /** Plays one call through it, with SIPp on both sides. */
  readonly play: (scenario: Scenario) => Promise<Outcome>;
  /** Ends the filter; resolves with its exit code. */
  readonly close: () => Promise<number | null>;
}

type Ports = Readonly<Record<"caller" | "called", number>>;

/** Starts a filter for one path. Every call on it comes from the same port, as those of a trunk do. */
export async function openStage(path: Path): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "sigwall-sipp-"));
  const ports = { caller: await freePort(path.caller), called: await freePort(path.called) };
  const pipes = await openPipes(folder, path, ports);
  writeConfiguration(folder, path, { ...ports, called: pipes.called?.port ?? ports.called });
  const filter = await startFilter(join(folder, "sigwall.yaml"));
  const direct = listeningOn(filter, path);
  pipes.lead(Number(direct.slice(direct.lastIndexOf(":") + 1)));
  const remote = pipes.caller === undefined ? direct : `${path.caller.peer}:${pipes.caller.port}`;
  let before: Readonly<Record<string, number>> = {};
  return {
    async play(scenario) {
      const complaints = await playSides(folder, scenario, path, ports, remote);
      const now = await readCounts(filter);
      const changes = Object.entries(now).map(
        ([name, value]) => [name, value - (before[name] ?? 0)] as const,
      );
      before = now;
      return { complaints, counts: Object.fromEntries(changes.filter(([, change]) => change !== 0)) };
    },
    async close() {
      const exit = await filter.stop();
      await pipes.close();
      rmSync(folder, { recursive: true });
      return exit;
    },
  };
}

/** The ways of a path that go by TLS. */
export interface Pipes {
  /** What the filter shows, where anything goes by TLS. */
  readonly material?: TlsMaterial;
  readonly caller?: TlsPipe;
  readonly called?: TlsPipe;
  /** Tells the caller's where the filter listens. */
  readonly lead: (port: number) => void;
  readonly close: () => Promise<unknown>;
}

/** Certificates for both peers and the filter, and the pipes that show those of the peers. */
export async function openPipes(folder: string, { caller, called }: Path, ports: Ports): Promise<Pipes> {
  const filter = { address: caller.filter, port: 0 };
  const lead = (port: number): unknown => (filter.port = port);
  if (caller.transport !== "tls" && called.transport !== "tls")
    return { lead, close: () => Promise.resolve() };
  const authority = createAuthority(folder);
  const material = materialOf(authority.issue("filter", `IP:${filter.address}`), authority);
  const own = authority.issue("pbx", "DNS:pbx.example");
  const core = { own: authority.issue("core", `IP:${called.peer}`), authority };
  const ofCaller =
    caller.transport === "tls"
      ? await openCallerPipe(caller.peer, () => filter, { own, authority })
      : undefined;
  const ofCalled =
    called.transport === "tls" ? await openCalledPipe(called.peer, ports.called, core) : undefined;
  return {
    material,
    ...(ofCaller && { caller: ofCaller }),
    ...(ofCalled && { called: ofCalled }),
    lead,
    close: () => Promise.all([ofCaller?.close(), ofCalled?.close()]),
  };
}

/** Both sides to their ends: what each has to complain of. */
async function playSides(
  folder: string,
  { caller, called, seesRepeats = {} }: Scenario,
  path: Path,
  ports: Ports,
  remote: string,
): Promise<readonly string[]> {
  const silence = called === undefined ? await listenForNothing(path.called, ports.called) : undefined;
  const answering =
    called &&
    startSipp({
      folder,
      side: "called",
      leg: path.called,
      port: ports.called,
      steps: called,
      seesRepeats: seesRepeats.called === true,
    });
  // A SIPp that ends before it listens says why.
  await Promise.race([isBound(path.called, ports.called), ...(answering === undefined ? [] : [answering])]);
  const calling = startSipp({
    folder,
    side: "caller",
    leg: path.caller,
    port: ports.caller,
    steps: caller,
    seesRepeats: seesRepeats.caller === true,
    remote,
  });
  const ended = await Promise.all([calling, answering]);
  return [...ended, await silence?.close()].filter((complaint) => complaint !== undefined);
}

function writeConfiguration(folder: string, path: Path, ports: Ports): void {
  const { caller, called } = path;
  const listen = [caller, called].map((leg) => `"${leg.transport}:${hostOf(leg.filter)}:0"`);
  // Ports tell trunks apart where addresses don't: a peer that connects comes from any.
  const matchOf = (leg: Leg, port: number): string =>
    caller.peer === called.peer
      ? `{ addresses: ["${leg.peer}"], ports: [${port}] }`
      : `{ addresses: ["${leg.peer}"]${leg === caller && leg.transport === "tls" ? ", tlsName: pbx.example" : ""} }`;
  const write = (name: string, lines: readonly string[]): void =>
    writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
  mkdirSync(join(folder, "lists"));
  const hasTls = caller.transport === "tls" || called.transport === "tls";
  write("sigwall.yaml", [
    `listen: [${[...new Set(listen)].join(", ")}]`,
    ...(hasTls ? ["tls: { certificate: filter.pem, key: filter.key, ca: ca.pem }"] : []),
    "admin: 127.0.0.1:0",
    "policy: policy.yaml",
    "keyFile: own.key",
  ]);
  write("policy.yaml", [
    "version: 1",
    "trunks:",
    `  - { id: core, side: core, match: ${matchOf(called, ports.called)} }`,
    "  - id: lease",
    "    side: lessee",
    `    match: ${matchOf(caller, ports.caller)}`,
    "    lessee: own",
    '    areaCode: "10"',
    `    nextHops: ["sip:${hostOf(called.peer)}:${ports.called};transport=${called.transport}"]`,
    // SIPp would take an OPTIONS for the call that it waits for.
    "nextHopHealth: { probe: off }",
    "lessees:",
    "  - { id: own, numbers: lists/own.csv }",
  ]);
  write("lists/own.csv", ["number", "+861087654300..+861087654399"]);
}

/** Where the caller reaches the filter, as the filter says it. */
function listeningOn(filter: Filter, { caller }: Path): string {
  const start = `${caller.transport}:`;
  const here = filter.listening.find((id) => id.startsWith(start) && id.includes(hostOf(caller.filter)));
  return here?.slice(start.length) ?? "";
}

/** What must not move unless a scenario says so: leaks of every kind show here. */
const watched =
  /^sigwall_(attempts|requests|display_names_removed|failovers|retransmissions|forged_repeats|protocol_errors|unknown_source_messages|not_sip_messages|stray_responses|unsendable_messages|undelivered_messages|transaction_timeouts|no_next_hop_up|faults|rule_faults|table_full|evidence_lost)_total(\{.*\})? (\d+)$/;

async function readCounts(filter: Filter): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${filter.admin}/metrics`)).text();
  const counts: Record<string, number> = {};
  for (const line of text.split("\n")) {
    const [, name, labels = "", value] = watched.exec(line) ?? [];
    if (name !== undefined) counts[`${name}${labels}`] = Number(value);
  }
  return counts;
}
