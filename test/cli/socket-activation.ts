import type { Buffer } from "node:buffer";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { chooseDatagramSockets } from "../../src/wire/udp/datagram-sockets.ts";
import { header, respond } from "../support/proxy.ts";
import { shipped } from "../support/shipped.ts";
import { inTime, until } from "../support/until.ts";
import { program } from "./filter-process.ts";
import { openWorkplace, staticText, type Workplace } from "./workplace.ts";

/** INVITEs that may wait for their answer at one time. */
const MOST_WAITING = 64;

/** A UDP socket that this process holds and never reads, as systemd does. */
interface HeldSocket {
  readonly fd: number;
  readonly port: number;
  readonly close: () => void;
}

async function holdSocket(): Promise<HeldSocket> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.setRecvBufferSize(4 * 1024 * 1024);
  // Node has no other way to a socket that nobody reads.
  const handle: unknown = Reflect.get(socket, "_handle");
  if (typeof handle !== "object" || handle === null) throw new Error("no handle");
  const stop: unknown = Reflect.get(handle, "recvStop");
  const fd: unknown = Reflect.get(handle, "fd");
  if (typeof stop !== "function" || typeof fd !== "number") throw new Error("no descriptor");
  Reflect.apply(stop, handle, []);
  return { fd, port: socket.address().port, close: () => socket.close() };
}

/** Starts the filter as systemd would: descriptors from 3 on, and LISTEN_PID that of the filter itself. */
function activate(place: Workplace, fds: readonly number[], listenPid = "$$"): ChildProcess {
  const command = `LISTEN_PID=${listenPid} LISTEN_FDS=${fds.length} LISTEN_FDNAMES=sip exec "$0" "$@"`;
  const child = spawn("sh", ["-c", command, process.execPath, program, "run", "--config", place.config], {
    stdio: ["ignore", "pipe", "pipe", ...fds],
  });
  const kill = (): unknown => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("close", () => process.off("exit", kill));
  return child;
}

async function isUp(child: ChildProcess): Promise<void> {
  let text = "";
  const told = new Promise<void>((resolve, reject) => {
    child.stderr?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes('"msg":"sigwall is up"')) resolve();
    });
    child.once("close", () => reject(new Error(`the filter ended at once: ${text}`)));
  });
  await inTime(told, () => `the filter is not up: ${text}`);
}

/** Tells the filter to stop, and resolves when it has. */
async function stopFilter(child: ChildProcess): Promise<void> {
  const ended = once(child, "close");
  child.kill("SIGTERM");
  await inTime(ended, () => "the filter has not stopped by SIGTERM");
}

/** What a filter that can't start says. */
async function failure(
  child: ChildProcess,
): Promise<{ readonly code: number | null; readonly says: string }> {
  let says = "";
  child.stderr?.on("data", (chunk: Buffer) => (says += chunk.toString()));
  await inTime(once(child, "close"), () => `the filter goes on: ${says}`);
  return { code: child.exitCode, says };
}

async function openSip(port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  socket.setRecvBufferSize(4 * 1024 * 1024);
  return socket;
}

function invite(port: number, call: number): string {
  return [
    "INVITE sip:02787654321@127.0.0.1 SIP/2.0",
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK-${call}`,
    "Max-Forwards: 70",
    `From: <sip:01087654321@127.0.0.1>;tag=a${call}`,
    "To: <sip:02787654321@127.0.0.1>",
    `Call-ID: restart-${call}`,
    "CSeq: 1 INVITE",
    `Contact: <sip:127.0.0.1:${port}>`,
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

const { missing } = await chooseDatagramSockets("batched");

for (const sockets of missing === undefined ? ["dgram", "batched"] : ["dgram"]) {
  void t.test(
    `sockets of systemd, ${sockets}: a restart under load loses no datagram, and calls go on`,
    async (t) => {
      const place = await openWorkplace();
      t.teardown(place.remove);
      const held = await holdSocket();
      t.teardown(held.close);
      place.write(
        "sigwall.yaml",
        staticText
          .replace("udp:127.0.0.1:0", `udp:127.0.0.1:${held.port}`)
          .replace("drainSeconds: 0\n", `sockets: ${sockets}\n`),
      );
      // A machine that runs other tests beside this one is busy enough to shed calls: that is another test's matter.
      place.write("policy.yaml", `${place.policy()}overload: { mode: off }\n`);
      // The ends of the workplace make room for ends that count.
      const ports = place.release();
      const [caller, core] = await Promise.all([openSip(Number(ports.caller)), openSip(Number(ports.core))]);
      t.teardown(() => {
        caller.close();
        core.close();
      });
      const atCore = new Map<string, number>();
      const answers = new Map<string, string>();
      const byes: string[] = [];
      core.on("message", (bytes) => {
        const text = bytes.toString("latin1");
        const callId = header(text, "Call-ID") ?? "";
        if (text.startsWith("BYE ")) byes.push(callId);
        if (!text.startsWith("INVITE ")) return;
        atCore.set(callId, (atCore.get(callId) ?? 0) + 1);
        core.send(respond(text, 200, { contact: `<sip:127.0.0.1:${ports.core}>` }), held.port, "127.0.0.1");
      });
      caller.on("message", (bytes) => {
        const text = bytes.toString("latin1");
        answers.set(header(text, "Call-ID") ?? "", text);
      });

      let filter = activate(place, [held.fd]);
      let sent = 0;
      const load = setInterval(() => {
        // What comes while there is no filter waits in the kernel, whose room is bounded.
        if (sent - answers.size >= MOST_WAITING) return;
        sent++;
        caller.send(invite(Number(ports.caller), sent), held.port, "127.0.0.1");
      }, 5);
      t.teardown(() => clearInterval(load));
      await isUp(filter);
      for (const restart of [1, 2]) {
        const calls = answers.size + 80;
        await until(() => answers.size >= calls);
        const before = sent;
        await stopFilter(filter);
        t.equal(filter.exitCode, 0, `restart ${restart}: exit code`);
        filter = activate(place, [held.fd]);
        await isUp(filter);
        t.ok(sent > before, `restart ${restart}: ${sent - before} calls came meanwhile`);
      }
      const calls = answers.size + 80;
      await until(() => answers.size >= calls);
      clearInterval(load);
      await until(() => answers.size >= sent);

      t.equal(atCore.size, sent, `every one of ${sent} INVITEs reached the core`);
      t.same(
        [...atCore].filter(([, times]) => times !== 1),
        [],
        "each once: nobody had to repeat",
      );
      t.equal(answers.size, sent, "and got its answer");
      t.same(
        [...answers.values()].filter((text) => !text.startsWith("SIP/2.0 200 ")),
        [],
        "which is 200",
      );

      // A call of the first run ends in the third: its Record-Route proves the dialog, by the key in `keyFile`.
      const route = header(answers.get("restart-1") ?? "", "Record-Route") ?? "";
      const bye = [
        `BYE sip:127.0.0.1:${ports.core} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${ports.caller};branch=z9hG4bK-bye`,
        "Max-Forwards: 70",
        `Route: ${route}`,
        "From: <sip:01087654321@127.0.0.1>;tag=a1",
        "To: <sip:02787654321@127.0.0.1>;tag=called",
        "Call-ID: restart-1",
        "CSeq: 2 BYE",
        "Content-Length: 0",
      ].join("\r\n");
      caller.send(`${bye}\r\n\r\n`, held.port, "127.0.0.1");
      await until(() => byes.length > 0);
      t.same(byes, ["restart-1"], "BYE of a call that two restarts lie behind");
      await stopFilter(filter);
    },
  );
}

void t.test("sockets of systemd: what doesn't fit is said, and nothing starts", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const held = await holdSocket();
  t.teardown(held.close);
  const address = `udp:127.0.0.1:${held.port}`;
  const other = held.port === 5070 ? "udp:127.0.0.1:5071" : "udp:127.0.0.1:5070";
  const file = openSync("package.json", "r");
  const rows: readonly (readonly [name: string, listen: string, fds: readonly number[], says: string])[] = [
    ["another port", other, [held.fd], `the service manager passed ${address}, which is not in \`listen\``],
    [
      "a listener too many",
      `${address}, ${other}`,
      [held.fd],
      `\`listen\` has ${other}, which the service manager did not pass`,
    ],
    ["a file", address, [file], "inherited socket 3 (sip) is not a bound UDP socket"],
  ];
  for (const [name, listen, fds, says] of rows) {
    place.write("sigwall.yaml", staticText.replace("udp:127.0.0.1:0", listen));
    const { code, says: said } = await failure(activate(place, fds));
    t.equal(code, 1, name);
    t.match(said, says, name);
  }
});

void t.test("sockets of systemd: those of another process are none of ours", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const held = await holdSocket();
  t.teardown(held.close);
  const filter = activate(place, [held.fd], "1");
  await isUp(filter);
  await stopFilter(filter);
  t.equal(filter.exitCode, 0, "it bound what `listen` names");
});

void t.test("the units: understood by systemd, sockets and listeners alike", (t) => {
  const folder = "deploy/systemd";
  const socket = readFileSync(join(folder, "sigwall.socket"), "utf8");
  const listen = [...socket.matchAll(/^ListenDatagram=(.+)$/gm)].map(([, address = ""]) => `udp:${address}`);
  const written = readFileSync(join(shipped, "sigwall.yaml"), "utf8");
  for (const id of listen) t.match(written, id, `${id} is in the example's \`listen\``);
  const found = spawnSync("systemd-analyze", ["--version"]);
  if (found.error !== undefined) {
    t.pass("systemd-analyze", { skip: "not installed: what systemd makes of the units is left out" });
  } else {
    const units = ["sigwall.service", "sigwall.socket"].map((name) => join(folder, name));
    const verified = spawnSync("systemd-analyze", ["verify", "--man=no", ...units], { encoding: "utf8" });
    const complaints = verified.stderr
      .split("\n")
      .filter((line) => line.includes("sigwall"))
      // The program is where the unit's own machine has it.
      .filter((line) => !line.includes("is not executable"));
    t.same(complaints, [], "systemd-analyze verify");
  }
  t.end();
});
