/** What is measured: Kamailio, sigwall and a bare forwarder, each loaded with the same dataset. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Dataset } from "./dataset.ts";
import { writeKamailioTables, writeSigwallPolicy, type DrachtioPlace, type Layout } from "./dataset-files.ts";
import { startPinned, type Started } from "./processes.ts";
import { clustered, plain, type State } from "./states.ts";

export type TargetName = "kamailio" | "sigwall" | "bare" | "drachtio";

/** One row of the bench: `kamailio`, `bare`, `sigwall`; `sigwall=PATH` for another build; `sigwall:dgram`, `bare:batched` for other sockets; `drachtio`, `drachtio:unreported`, `bare:drachtio`. */
export interface TargetChoice {
  readonly name: TargetName;
  /** `dgram`, `batched`, or what else a target has a kind of; undefined: what the target takes by itself. */
  readonly sockets: string | undefined;
  /** True where a drachtio-server carries the calls. It deals them out to all that are connected, so that one may be at a time. */
  readonly byDrachtio: boolean;
  readonly title: string;
  /** The main.js to run; meant for sigwall. */
  readonly program: string;
  /** What sigwall does beside carrying calls. */
  readonly state: State;
}

export interface Target extends TargetChoice {
  readonly address: string;
  readonly port: number;
  readonly process: Started;
  readonly log: string;
}

/** What starting a target needs. Ports are free ones of the loopback. */
export interface Bench {
  readonly dataset: Dataset;
  readonly layout: Layout;
  /** Temporary folder, removed at the end. */
  readonly folder: string;
  /** Root of the repository. */
  readonly root: string;
  /** The core all targets share; the load generators have the other one. */
  readonly core: number;
  /** Options of node for sigwall only, for profiles. */
  readonly nodeOptions: readonly string[];
}

const address = "127.0.0.1";

const titles: Readonly<Record<TargetName, string>> = {
  kamailio: "kamailio 5.6 stateless",
  sigwall: "sigwall",
  bare: "bare forwarder",
  drachtio: "sigwall by drachtio",
};

/** Where the environment says that a drachtio-server runs; undefined: there is none. Its CPU is not the target's. */
export function drachtioServer(): DrachtioPlace | undefined {
  const { DRACHTIO_HOST: host, DRACHTIO_PORT = "9022", DRACHTIO_SECRET = "cymru" } = process.env;
  return host === undefined ? undefined : { host, port: Number(DRACHTIO_PORT), secret: DRACHTIO_SECRET };
}

/** Reads one word of `--targets`; undefined when there is no such target. */
export function chooseTarget(word: string, root: string, state: State = plain): TargetChoice | undefined {
  const [target = "", path] = word.split("=", 2);
  const [name, sockets] = target.split(":", 2);
  if (name === undefined || !isTarget(name)) return undefined;
  const title = [titles[name], sockets, path].filter((part) => part !== undefined).join(" ");
  const byDrachtio = name === "drachtio" || sockets === "drachtio";
  const program = resolve(path ?? join(root, "dist/main.js"));
  return { name, sockets, byDrachtio, title: titleOf(title, state), program, state };
}

function titleOf(title: string, state: State): string {
  return state.title === "" ? title : `${title}, ${state.title}`;
}

function isTarget(name: string): name is TargetName {
  return Object.hasOwn(titles, name);
}

/** Writes a target's files and starts it; it may need seconds until it answers. */
export function startTarget(choice: TargetChoice, bench: Bench, port: number, adminPort: number): Target {
  const log = join(bench.folder, `${choice.name}-${port}.log`);
  if (choice.state === clustered) startOtherNode(bench, folderOf(bench, port));
  const process = startPinned(bench.core, commandOf(choice, bench, port, adminPort), log);
  return { ...choice, address, port, log, process };
}

function commandOf(
  { name, sockets, program, state }: TargetChoice,
  bench: Bench,
  port: number,
  adminPort: number,
): readonly string[] {
  if (name === "kamailio") return kamailioCommand(bench, port);
  if (name === "bare") return bareCommand(bench, port, sockets ?? "dgram");
  const server = name === "drachtio" ? drachtioServer() : undefined;
  const folder = folderOf(bench, port);
  const config = writeSigwallPolicy(
    folder,
    bench.dataset,
    bench.layout,
    `${address}:${port}`,
    `${address}:${adminPort}`,
    name === "drachtio" ? undefined : sockets,
    server === undefined ? undefined : { server, reports: sockets !== "unreported" },
    { ...state, sigwall: state.sigwall.replaceAll("FOLDER", folder) },
  );
  return [process.execPath, ...bench.nodeOptions, program, "run", "--config", config];
}

function folderOf({ folder }: Bench, port: number): string {
  return join(folder, `sigwall-${port}`);
}

/** Starts a Redis and the other node, on the core of the load generators. They end with the bench. */
function startOtherNode({ root }: Bench, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, "redis.sock");
  const key = join(folder, "key");
  writeFileSync(key, randomBytes(32).toString("hex"), { mode: 0o600 });
  const redis = ["--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder];
  startPinned(0, ["redis-server", ...redis], join(folder, "redis.log"));
  const mirror = join(root, "out/bench/cluster/mirror.js");
  startPinned(
    0,
    [process.execPath, mirror, "--url", `unix:${socket}`, "--key", key],
    join(folder, "mirror.log"),
  );
}

function kamailioCommand(bench: Bench, port: number): readonly string[] {
  const tables = join(bench.folder, "kamailio");
  writeKamailioTables(tables, bench.dataset, bench.layout);
  const { coreAddress, corePort } = bench.layout;
  const definitions = [
    `!LISTEN!udp:${address}:${port}!g`,
    `!CORE_URI!sip:${coreAddress}:${corePort}!g`,
    `!TABLES!${tables}!g`,
  ];
  return [
    ["kamailio", "-f", join(bench.root, "bench/kamailio/kamailio.cfg")],
    ["-x", "fm", "-m", "512", "-M", "32", "-DD", "-E"],
    ["-Y", bench.folder, "-P", join(bench.folder, "kamailio.pid")],
    definitions.map((definition) => `--substdef=${definition}`),
  ].flat();
}

function bareCommand(bench: Bench, port: number, sockets: string): readonly string[] {
  const file = join(bench.folder, "bare.txt");
  const server = sockets === "drachtio" ? drachtioServer() : undefined;
  const numbers = bench.dataset.trunks.flatMap(({ lessee }) => [
    ...(lessee?.numbers ?? []),
    // It knows no ranges: the few numbers the load takes from them are listed one by one.
    ...(lessee?.ranges ?? []).map(({ first }) => first + 7),
  ]);
  writeFileSync(file, numbers.map((number) => `+${number}\n`).join(""));
  const core = `${bench.layout.coreAddress}:${bench.layout.corePort}`;
  const ends =
    server === undefined
      ? ["bare-forwarder.mjs", `${address}:${port}`, core, file, sockets]
      : ["bare-drachtio.mjs", `${server.host}:${server.port}`, server.secret, core, file];
  return [
    process.execPath,
    ...bench.nodeOptions,
    ...ends.map((word, i) => (i === 0 ? join(bench.root, "bench", word) : word)),
  ];
}
