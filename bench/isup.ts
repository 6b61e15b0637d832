/** What SS7 costs: decode and screen of an IAM, and `replay` of a capture of M3UA calls in MSUs a second. */
import type { Buffer } from "node:buffer";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeIsup, writeM3ua } from "../pcaps/isup-text.ts";
import type { TrunkPolicy } from "../src/policy/policy.ts";
import type { SignallingSource } from "../src/domain/attempt.ts";
import { addressBytes, writeEthernet, writeIp } from "../src/pcap/packet.ts";
import { writeSctp } from "../src/pcap/sctp-packet.ts";
import { writePcap, type PacketRecord } from "../src/pcap/writer.ts";
import type { ScreeningState } from "../src/screening/state.ts";
import { readIsupAttempt } from "../src/ss7/isup-attempt.ts";
import { createIsupMessage, readIsup } from "../src/ss7/isup.ts";
import { createM3uaMessage, readM3ua, readProtocolData } from "../src/ss7/m3ua.ts";
import { createMsu, readCircuit } from "../src/ss7/mtp3.ts";

/** Calls in the long capture; four messages each. */
const calls = 60_000;
const trunkAddress = "192.0.2.11";
const filterAddress = "198.51.100.1";

function iamFrom(number: number, index: number): Buffer {
  const national = String(number).slice(2);
  const called = `1370${String(index % 10_000_000).padStart(7, "0")}`;
  return encodeIsup(`IAM called=3:${called}F calling=3:${national}`);
}

/** Judges one M3UA message of the bench, received at `now`; throws when the verdict is another. */
export type JudgeIam = (bytes: Buffer, now: number, expected: string) => void;

/** M3UA messages, each an IAM of one of `numbers`. */
export function iamsOf(numbers: readonly number[]): readonly Buffer[] {
  return numbers.map((number, index) =>
    writeM3ua({ opc: 11, dpc: 1, cic: index & 0xfff }, iamFrom(number, index)),
  );
}

/** From the received octets to the verdict, as an engine would take the way. */
export function createIamJudge({ trunk, screen }: TrunkPolicy, state: ScreeningState): JudgeIam {
  const m3ua = createM3uaMessage();
  const msu = createMsu();
  const isup = createIsupMessage();
  const origin: SignallingSource = {
    signalling: "isup",
    transport: "sctp",
    sourceAddress: trunkAddress,
    sourcePort: 2905,
    destinationAddress: filterAddress,
    destinationPort: 2905,
  };
  return (bytes, now, expected) => {
    readM3ua(m3ua, bytes, 0, bytes.length);
    readProtocolData(msu, m3ua, bytes);
    readIsup(isup, "itu", bytes, readCircuit(msu), msu.end);
    const attempt = readIsupAttempt(isup, msu, trunk, now, origin);
    if (typeof attempt === "string") throw new Error(attempt);
    const { verdict } = screen.judge(attempt, state);
    if (verdict.kind !== expected)
      throw new Error(`${verdict.kind} (${verdict.reason}) instead of ${expected}`);
  };
}

/** Runs `replay` on a short and on a long capture of SS7, the better of two. Returns a line of text. */
export async function measureSs7Replay(): Promise<string> {
  const program = join(fileURLToPath(import.meta.url), "../../../dist/main.js");
  if (!existsSync(program)) return "replay of SS7: left out, dist/main.js is missing (npm run build)";
  const folder = mkdtempSync(join(tmpdir(), "sigwall-ss7-"));
  try {
    const short = writeCapture(join(folder, "short.pcap"), 10);
    const long = writeCapture(join(folder, "long.pcap"), calls);
    const seconds = async (file: string): Promise<number> => {
      const begun = performance.now();
      const config = "pcaps/verify/sigwall.yaml";
      const args = ["-c", "0", process.execPath, program, "replay", file, "--config", config, "--json"];
      const child = spawn("taskset", args, { stdio: "ignore" });
      const [code]: (number | null)[] = await once(child, "exit");
      if (code !== 0) throw new Error(`sigwall replay ended with exit code ${code}`);
      return (performance.now() - begun) / 1000;
    };
    await seconds(long.file);
    const start = Math.min(await seconds(short.file), await seconds(short.file));
    const whole = Math.min(await seconds(long.file), await seconds(long.file));
    const rate = (long.units - short.units) / (whole - start);
    return `replay of SS7: ${Math.round(rate)} MSUs/s (${long.units} MSUs of ${calls} calls, one a packet, in ${whole.toFixed(2)} s, of which start-up ${start.toFixed(2)} s)`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Calls of a national network: IAM, ACM, ANM, REL and RLC. */
function writeCapture(file: string, count: number): { readonly file: string; readonly units: number } {
  const packets: PacketRecord[] = [];
  const from = { address: "192.0.2.21", port: 2905 };
  const to = { address: filterAddress, port: 2905 };
  const others = ["ACM", "ANM", "REL cause=16", "RLC"].map(encodeIsup);
  const sides = [
    [from, to, { opc: 21, dpc: 1 }],
    [to, from, { opc: 1, dpc: 21 }],
  ] as const;
  const tsn = [0, 0];
  const send = (side: 0 | 1, index: number, isup: Buffer): void => {
    const [source, destination, codes] = sides[side];
    const payload = writeM3ua({ ...codes, cic: index & 0xfff }, isup);
    tsn[side] = (tsn[side] ?? 0) + 1;
    const chunk = { tsn: tsn[side] ?? 0, stream: 1, payloadProtocol: 3, payload };
    const sctp = writeSctp(source, destination, 7 + side, [chunk]);
    const [a, b] = [addressBytes(source.address), addressBytes(destination.address)];
    const at = 1_791_015_302 + index / 500;
    packets.push({
      seconds: Math.floor(at),
      nanos: Math.floor((at % 1) * 1e9),
      bytes: writeEthernet(writeIp(a, b, 132, sctp)),
    });
  };
  for (let index = 0; index < count; index += 1) {
    send(0, index, iamFrom(862_080_000_000 + index, index));
    others.forEach((isup, i) => send(i === 3 ? 0 : 1, index, isup));
  }
  writeFileSync(file, writePcap(packets));
  return { file, units: packets.length };
}
