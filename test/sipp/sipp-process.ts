import { spawn } from "node:child_process";
import type { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import type { Leg } from "./path.ts";
import { comesTrue } from "../support/until.ts";
import { writeScript } from "./script.ts";

/** A called side that must not be called. */
export interface Silence {
  /** Resolves with what came, or undefined. */
  readonly close: () => Promise<string | undefined>;
}

/** How to start one side. */
export interface SippParts {
  readonly folder: string;
  readonly side: "caller" | "called";
  readonly leg: Leg;
  readonly port: number;
  readonly steps: readonly string[];
  readonly seesRepeats: boolean;
  /** Where the caller sends to. */
  readonly remote?: string;
}

/** True when SIPp can be started here, and its sockets be seen. */
export const isInstalled =
  existsSync("/proc/net/udp") &&
  (process.env["PATH"] ?? "").split(delimiter).some((place) => existsSync(join(place, "sipp")));

/** Starts SIPp for one call. Resolves when it is over: undefined when everything went as scripted, else what SIPp says. */
export async function startSipp(parts: SippParts): Promise<string | undefined> {
  const { folder, side, leg, port, steps, seesRepeats, remote } = parts;
  const file = (end: string): string => join(folder, `${side}.${end}`);
  // SIPp knows of no TLS on its way, but what it writes says so.
  const script = writeScript(side, steps);
  writeFileSync(file("xml"), leg.transport === "tls" ? script.replaceAll("[transport]", "TLS") : script);
  const child = spawn(
    "sipp",
    [
      ["-sf", file("xml"), "-m", "1", "-nostdin", "-timeout", "90", "-timeout_error"],
      ["-i", leg.peer, "-p", String(port), "-t", leg.sipp],
      ["-trace_err", "-error_file", file("errors"), "-trace_msg", "-message_file", file("messages")],
      seesRepeats ? ["-nr"] : [],
      remote === undefined ? [] : [remote],
    ].flat(),
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  const stop = (): unknown => child.kill();
  process.once("exit", stop);
  await once(child, "exit");
  process.off("exit", stop);
  if (child.exitCode === 0) return undefined;
  const code = child.exitCode ?? child.signalCode;
  return `${side} ended with ${code}: ${said}\n${read(file("errors"))}\n${read(file("messages"))}`;
}

function read(file: string): string {
  return existsSync(file) ? readFileSync(file, "latin1").slice(-4000) : "";
}

/** Takes the called side's port and answers nothing. */
export async function listenForNothing(leg: Leg, port: number): Promise<Silence> {
  const seen: string[] = [];
  const stop = await bind(leg, port, (bytes) => seen.push(bytes.toString("latin1")));
  return {
    async close() {
      await stop();
      return seen.length === 0 ? undefined : `the called side got: ${seen.join("\n")}`;
    },
  };
}

/** A port that is free now, for either transport. */
export async function freePort({ peer }: Leg): Promise<number> {
  const socket = createSocket(peer.includes(":") ? "udp6" : "udp4");
  socket.bind(0, peer);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

/** Listens; resolves with what ends it. */
async function bind(
  { transport, peer }: Leg,
  port: number,
  take: (bytes: Buffer) => void,
): Promise<() => Promise<unknown>> {
  if (transport === "udp") {
    const socket = createSocket(peer.includes(":") ? "udp6" : "udp4");
    socket.on("message", take);
    socket.bind(port, peer);
    await once(socket, "listening");
    return () => once(socket.close(), "close");
  }
  const server = createServer((connection) => connection.on("data", take));
  server.listen(port, peer);
  await once(server, "listening");
  return () => once(server.close(), "close");
}

/** Resolves once somebody listens on a port, as the kernel's table says, since SIPp does not. */
export async function isBound({ transport, peer }: Leg, port: number): Promise<void> {
  const table = `/proc/net/${transport === "udp" ? "udp" : "tcp"}${peer.includes(":") ? "6" : ""}`;
  const place = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  // Local end, remote end, state: sockets of TCP that merely wait for their end are there too.
  const isListening = (line: string): boolean => {
    const [, local = "", , state = ""] = line.trim().split(/\s+/);
    return `${local} `.endsWith(place) && (transport === "udp" || state === "0A");
  };
  if (!(await comesTrue(() => readFileSync(table, "latin1").split("\n").some(isListening))))
    throw new Error(`nobody listens on ${transport}:${peer}:${port}`);
}
