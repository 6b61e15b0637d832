/** `sigwall replay` over a generated capture: packets per second on one core, start-up left out. */
import { Buffer } from "node:buffer";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writePcap, type PacketRecord } from "../src/pcap/writer.ts";
import { allowedCalls, makeDataset, rejectedCalls, type LoadCall } from "./dataset.ts";
import { writeSigwallPolicy, type Layout } from "./dataset-files.ts";
import { answerTo, inviteOf, requestOf, type CallText } from "./messages.ts";

const calls = 30_000;
const layout: Layout = { trunkPort: 5060, coreAddress: "127.0.0.1", corePort: 5090, overload: "off" };
const filterPort = 5062;

/** Runs `replay` on a short and on a long capture, the better of two; the difference is free of start-up and policy load. Returns a line of text. */
export async function measureReplay(): Promise<string> {
  const program = join(fileURLToPath(import.meta.url), "../../../dist/main.js");
  if (!existsSync(program)) return "replay: left out, dist/main.js is missing (npm run build)";
  const folder = mkdtempSync(join(tmpdir(), "sigwall-replay-"));
  try {
    const config = writeSigwallPolicy(
      folder,
      makeDataset(),
      layout,
      `127.0.0.1:${filterPort}`,
      "127.0.0.1:9464",
    );
    const short = writeReplayCapture(join(folder, "short.pcap"), 10);
    const long = writeReplayCapture(join(folder, "long.pcap"), calls);
    const seconds = async (file: string): Promise<number> => {
      const begun = performance.now();
      const child = spawn(
        "taskset",
        ["-c", "0", process.execPath, program, "replay", file, "--config", config, "--json"],
        {
          stdio: "ignore",
        },
      );
      const [code]: (number | null)[] = await once(child, "exit");
      if (code !== 0)
        throw new Error(`sigwall replay ended with exit code ${code}; run it by hand to see why`);
      return (performance.now() - begun) / 1000;
    };
    await seconds(long.file);
    const start = Math.min(await seconds(short.file), await seconds(short.file));
    const whole = Math.min(await seconds(long.file), await seconds(long.file));
    const rate = (long.packets - short.packets) / (whole - start);
    return `replay: ${Math.round(rate)} packets/s (${long.packets} packets of ${calls} calls in ${whole.toFixed(2)} s, of which start-up ${start.toFixed(2)} s)`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Calls between trunks and the filter, one in ten refused: seven packets for a carried call, three for a refused one. */
export function writeReplayCapture(
  file: string,
  count: number,
): { readonly file: string; readonly packets: number } {
  const dataset = makeDataset();
  const allowed = allowedCalls(dataset);
  const rejected = rejectedCalls(dataset);
  const packets: PacketRecord[] = [];
  for (let index = 0; index < count; index += 1) {
    const isRefused = index % 10 === 9;
    const from = isRefused ? rejected : allowed;
    const call = from[index % from.length];
    if (call === undefined) continue;
    const at = 1_780_000_000 + index / 100;
    for (const [isAnswer, text] of messagesOf(call, index, isRefused)) {
      const bytes = datagramOf(text, call.address, isAnswer);
      packets.push({ seconds: Math.floor(at), nanos: Math.floor((at % 1) * 1e9), bytes });
    }
  }
  writeFileSync(file, writePcap(packets));
  return { file, packets: packets.length };
}

function messagesOf(
  call: LoadCall,
  index: number,
  isRefused: boolean,
): readonly (readonly [boolean, string])[] {
  const text: CallText = {
    ...call,
    port: layout.trunkPort,
    callId: `replay-${index}`,
    filter: `127.0.0.1:${filterPort}`,
  };
  const invite = inviteOf(text);
  const ack = requestOf(text, "ACK", 1, "core");
  if (isRefused)
    return [
      [false, invite],
      [true, answerTo(invite, "403 Forbidden", "core", false)],
      [false, ack],
    ];
  const bye = requestOf(text, "BYE", 2, "core");
  return [
    [false, invite],
    [true, answerTo(invite, "100 Trying", "core", false)],
    [true, answerTo(invite, "180 Ringing", "core", false)],
    [true, answerTo(invite, "200 OK", "core", true)],
    [false, ack],
    [false, bye],
    [true, answerTo(bye, "200 OK", "core", false)],
  ];
}

/** Ethernet, IPv4 and UDP (RFC 894, RFC 791, RFC 768) around a message; the UDP checksum is left out, as IPv4 allows. */
function datagramOf(text: string, trunkAddress: string, isAnswer: boolean): Buffer {
  const payload = Buffer.from(text, "latin1");
  const bytes = Buffer.alloc(42 + payload.length);
  bytes.writeUInt16BE(0x0800, 12);
  bytes[14] = 0x45;
  bytes.writeUInt16BE(28 + payload.length, 16);
  bytes[22] = 64;
  bytes[23] = 17;
  const trunk = trunkAddress.split(".").map(Number);
  const filter = [127, 0, 0, 1];
  bytes.set(isAnswer ? filter : trunk, 26);
  bytes.set(isAnswer ? trunk : filter, 30);
  bytes.writeUInt16BE(isAnswer ? filterPort : layout.trunkPort, 34);
  bytes.writeUInt16BE(isAnswer ? layout.trunkPort : filterPort, 36);
  bytes.writeUInt16BE(8 + payload.length, 38);
  payload.copy(bytes, 42);
  return bytes;
}
