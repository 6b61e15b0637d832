import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyEvidence } from "../../src/cli/evidence-verify.ts";
import { createBlockReader, isPacket, lineOf, readJson } from "../../src/records/evidence/block-reader.ts";
import { listSegments } from "../../src/records/evidence/log-files.ts";
import { readLines } from "../../src/records/lines/read-lines.ts";
import { header, respond } from "./proxy.ts";

/** A call and its final answer. Times of `performance.now()`, milliseconds. */
export interface PlacedCall {
  readonly callId: string;
  readonly sentAt: number;
  /** `forwarded`, or the status of the answer; undefined: nobody has answered. */
  outcome: string | undefined;
  endedAt: number;
}

/** Who is called and who calls. */
export const NUMBERS = { listed: "01087654321", unlisted: "01087654444", emergency: "110" } as const;

/** A lessee with a port of its own, which places many calls at a time. */
export interface Caller {
  readonly trunk: string;
  readonly port: number;
  readonly calls: Map<string, PlacedCall>;
  /** Sends an INVITE once, and does not wait. @returns the Call-ID */
  readonly invite: (filterPort: number, from?: string, to?: string) => string;
  /** Places a call, and waits for its outcome. */
  readonly call: (filterPort: number, from?: string, to?: string) => Promise<PlacedCall>;
}

/** A folder with a configuration, callers on trunks of their own, and the core behind the filter. */
export interface Crowd {
  readonly folder: string;
  readonly config: string;
  readonly callers: readonly Caller[];
  readonly corePort: number;
  readonly write: (name: string, text: string) => void;
  readonly close: () => void;
}

const HOST = "127.0.0.1";
let placed = 0;

async function openSocket(): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 22 });
  socket.bind(0, HOST);
  await once(socket, "listening");
  return socket;
}

/**
 * @param settings text for sigwall.yaml beside addresses and keys
 * @param trunks trunks of the lessee `own`, each with a caller
 */
export async function openCrowd(
  settings: string,
  trunks: readonly string[] = ["lease"],
  folder = mkdtempSync(join(tmpdir(), "sigwall-crowd-")),
): Promise<Crowd> {
  const core = await openSocket();
  const callers: Caller[] = [];
  const sockets = [core];
  const everywhere = new Map<string, { readonly call: PlacedCall; readonly done: () => void }>();
  const end = (callId: string | undefined, outcome: string): void => {
    const found = everywhere.get(callId ?? "");
    if (found === undefined || found.call.outcome !== undefined) return;
    found.call.outcome = outcome;
    found.call.endedAt = performance.now();
    everywhere.delete(found.call.callId);
    found.done();
  };
  core.on("message", (bytes, from) => {
    const text = bytes.toString("latin1");
    if (!text.startsWith("INVITE ")) return;
    end(header(text, "Call-ID"), "forwarded");
    // The call ends at once: nothing is repeated, and no table fills.
    core.send(respond(text, 486), from.port, from.address);
  });
  for (const trunk of trunks) {
    const socket = await openSocket();
    sockets.push(socket);
    const { port } = socket.address();
    socket.on("message", (bytes) => {
      const text = bytes.toString("latin1");
      if (text.startsWith("SIP/2.0 ") && !text.startsWith("SIP/2.0 1"))
        end(header(text, "Call-ID"), text.slice(8, 11));
    });
    const calls = new Map<string, PlacedCall>();
    const place = (filterPort: number, from: string, to: string, done: () => void): PlacedCall => {
      const callId = `call-${process.pid}-${++placed}`;
      const call = { callId, sentAt: performance.now(), outcome: undefined, endedAt: Infinity };
      calls.set(callId, call);
      everywhere.set(callId, { call, done });
      socket.send(inviteText(callId, from, to, port), filterPort, HOST);
      return call;
    };
    const caller: Caller = {
      trunk,
      port,
      calls,
      invite: (filterPort, from = NUMBERS.unlisted, to = "02787654321") =>
        place(filterPort, from, to, () => undefined).callId,
      call: (filterPort, from = NUMBERS.unlisted, to = "02787654321") =>
        new Promise((resolve, reject) => {
          const limit = setTimeout(() => reject(new Error(`no answer to ${call.callId}`)), 60_000);
          const call = place(filterPort, from, to, () => {
            clearTimeout(limit);
            resolve(call);
          });
        }),
    };
    callers.push(caller);
  }
  const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  const corePort = core.address().port;
  write("own.csv", "number,note\n+861087654300..+861087654399,head office\n");
  write("policy.yaml", policyText(corePort, callers));
  write(
    "sigwall.yaml",
    `listen: [udp:${HOST}:0]\nadmin: ${HOST}:0\npolicy: policy.yaml\nkeyFile: own.key\ndrainSeconds: 0\nnode: gw-a\n${settings}`,
  );
  return {
    folder,
    config: join(folder, "sigwall.yaml"),
    callers,
    corePort,
    write,
    close() {
      for (const socket of sockets) socket.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function policyText(corePort: number, callers: readonly Caller[]): string {
  return [
    "version: 1",
    'overload: { mode: "off" }',
    "nextHopHealth: { probe: off }",
    "trunks:",
    `  - { id: core, side: core, match: { addresses: [${HOST}], ports: [${corePort}] } }`,
    ...callers.map(
      ({ trunk, port }) =>
        `  - { id: ${trunk}, side: lessee, match: { addresses: [${HOST}], ports: [${port}] }, lessee: own, areaCode: "10", nextHops: ["sip:${HOST}:${corePort}"] }`,
    ),
    "lessees:",
    "  - { id: own, numbers: own.csv }",
    "",
  ].join("\n");
}

function inviteText(callId: string, from: string, to: string, port: number): string {
  return [
    `INVITE sip:${to}@${HOST} SIP/2.0`,
    `Via: SIP/2.0/UDP ${HOST}:${port};branch=z9hG4bK-${callId};rport`,
    "Max-Forwards: 70",
    `From: <sip:${from}@${HOST}>;tag=a${callId}`,
    `To: <sip:${to}@${HOST}>`,
    `Call-ID: ${callId}`,
    "CSeq: 1 INVITE",
    `Contact: <sip:${HOST}:${port}>`,
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>;

/** The lines of all blocks in a log of evidence, in the order of leaves. */
export function evidenceLines(folder: string, node = "gw-a"): readonly Fields[] {
  const lines: Fields[] = [];
  const reader = createBlockReader();
  for (const { path } of listSegments(folder, node))
    reader.read(path, (block) => {
      if (isPacket(block)) lines.push(readJson(lineOf(block)) ?? { broken: lineOf(block) });
      return true;
    });
  return lines;
}

/** The lines of a records folder. */
export function recordLines(folder: string): readonly Fields[] {
  return [...readLines([folder])].flatMap(({ line }) => (line === undefined ? [] : [line]));
}

/** Runs `sigwall evidence verify`. @returns the exit code, and what it said */
export function verifyFolder(folder: string): { readonly code: number; readonly said: string } {
  let said = "";
  const output = { write: (text: string) => (said += text) };
  const code = verifyEvidence(folder, { checkpoints: [], key: undefined, stdout: output, stderr: output });
  return { code, said };
}

/** The value of a series of `/metrics`; NaN: it is not there. */
export async function metricOf(admin: string, series: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${series} `));
  return line === undefined ? NaN : Number(line.slice(series.length + 1));
}

/** The leaves of the newest checkpoint; 0: there is none. */
export function signedLeaves(folder: string, node = "gw-a"): number {
  try {
    return Number(readFileSync(join(folder, `${node}.checkpoint`), "utf8").split("\n")[1]);
  } catch {
    return 0;
  }
}
