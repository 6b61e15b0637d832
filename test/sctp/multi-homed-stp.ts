import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import type { KernelSctp } from "../../src/wire/sctp/kernel-sctp.ts";
import { createSctpTransport } from "../../src/wire/sctp/sctp-transport.ts";
import { startEngine } from "../support/m3ua-engine.ts";
import { comesTrue } from "../support/until.ts";
import type { Host } from "./network.ts";
import { connectFrom, type TestPeer } from "./peer.ts";
import type { Check } from "./scenarios.ts";
import { endpoints, linkBy, policyOf } from "./two-paths.ts";

const stp = "/usr/bin/osmo-stp";
const [relayPort, stpPort] = [3101, 2905];

const has = (peer: TestPeer, kind: string): number =>
  peer.received.filter(({ bytes }) => bytes.toString("hex", 2, 4) === kind).length;

function lines(key: string, addresses: readonly string[]): string {
  return addresses.map((address) => `  ${key} ${address}`).join("\n");
}

/** Osmocom's signalling transfer point with two addresses: nobody here wrote its list of addresses. */
export async function meetMultiHomedStp(check: Check, sctp: KernelSctp, host: Host): Promise<void> {
  const [primary] = host.cables;
  if (!existsSync(stp) || primary === undefined) {
    check(true, "osmo-stp is not installed: left out");
    return;
  }
  const own = host.cables.map(({ ownAddress }) => ownAddress);
  const far = host.cables.map(({ farAddress }) => farAddress);
  writeFileSync(
    "/tmp/multi-homed-stp.cfg",
    `log stderr
 logging filter all 1
 logging level lss7 info
cs7 instance 0
 point-code 0.0.1
 asp asp-filter ${relayPort} ${stpPort} m3ua
${lines("local-ip", far)}
${lines("remote-ip", own)}
 as as-filter m3ua
  asp asp-filter
  routing-key 100 0.1.3
 listen m3ua ${stpPort}
  accept-asp-connections pre-configured
${lines("local-ip", far)}
`,
  );
  const log: string[] = [];
  const router = host.within(() =>
    spawn(stp, ["-c", "/tmp/multi-homed-stp.cfg"], { stdio: ["ignore", "pipe", "pipe"] }),
  );
  for (const output of [router.stdout, router.stderr])
    output.setEncoding("utf8").on("data", (text: string) => log.push(text));
  const [lease, core] = linkBy(host.cables, stpPort).associations;
  const local = endpoints(own, relayPort);
  const engine = await startEngine(
    { associations: [lease, { ...core, local: local[0], locals: local }] },
    policyOf(far[0] ?? ""),
  );
  const peer = await connectFrom(
    createSctpTransport(host.sctp(sctp)),
    endpoints(far, 0),
    endpoints(own, engine.ports[0] ?? 0),
  );
  peer.send(0, Buffer.from("0100030100000008", "hex"));
  const isUp = await comesTrue(() => has(peer, "0304") === 1);
  check(
    isUp && !engine.notes.some((note) => note.includes("no path")),
    `osmo-stp with two addresses: ASPUP is acknowledged: ${engine.notes.join("; ")}`,
  );
  host.cut(primary);
  peer.send(0, Buffer.from("0100040100000010000600080000 0064".replace(" ", ""), "hex"));
  check(
    await comesTrue(() => has(peer, "0403") === 1),
    "with the primary path cut, ASPAC and its acknowledgement go by the other one",
  );
  host.mend(primary);
  check(engine.counters.ss7.linksDown === 0, "and no link went down");
  if (!isUp) console.log(log.join("").slice(-3000), engine.notes.join("; "));
  peer.association.close();
  await engine.stop();
  router.kill("SIGKILL");
}
