import { spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Leg } from "./path.ts";
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
  writeFileSync(file("xml"), writeScript(side, steps));
  const child = spawn(
    "sipp",
    [
      ["-sf", file("xml"), "-m", "1", "-nostdin", "-timeout", "20", "-timeout_error"],
      ["-i", leg.address, "-p", String(port), "-t", leg.sipp],
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
  const socket = await bindSocket(leg, port);
  const seen: string[] = [];
  socket.on("message", (bytes) => seen.push(bytes.toString("latin1")));
  return {
    async close() {
      socket.close();
      await once(socket, "close");
      return seen.length === 0 ? undefined : `the called side got: ${seen.join("\n")}`;
    },
  };
}

/** A port that is free now. */
export async function freePort(leg: Leg): Promise<number> {
  const socket = await bindSocket(leg, 0);
  const { port } = socket.address();
  socket.close();
  await once(socket, "close");
  return port;
}

async function bindSocket(leg: Leg, port: number): Promise<Socket> {
  const socket = createSocket(leg.address.includes(":") ? "udp6" : "udp4");
  socket.bind(port, leg.address);
  await once(socket, "listening");
  return socket;
}

/** Resolves once somebody listens on a UDP port, as the kernel's table says: SIPp does not. */
export async function isBound(leg: Leg, port: number): Promise<void> {
  const table = `/proc/net/udp${leg.address.includes(":") ? "6" : ""}`;
  const entry = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  while (!readFileSync(table, "latin1").includes(entry))
    await new Promise((resolve) => setTimeout(resolve, 10));
}
