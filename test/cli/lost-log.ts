import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import t from "tap";
import { inTime } from "../support/until.ts";
import { program } from "./filter-process.ts";
import { openWorkplace, staticText } from "./workplace.ts";
import { freePort, freeStreamPort } from "../support/free-port.ts";

/** Runs the filter with its streams on a terminal, and closes the terminal when it reads a line. */
const onTerminal = `
import os, pty, sys, subprocess, signal
master, slave = pty.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, start_new_session=True)
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
os.close(slave)
sys.stdin.readline()
os.close(master)
print("closed", flush=True)
sys.exit(child.wait() & 255)
`;

/** Runs the filter with its streams on a pipe of 4 KiB that nobody reads. */
const onPipe = `
import fcntl, os, sys, subprocess, signal
reader, writer = os.pipe()
fcntl.fcntl(writer, 1031, 4096)
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=writer, stderr=writer)
signal.signal(signal.SIGTERM, lambda *_: child.terminate())
sys.stdin.readline()
print("closed", flush=True)
sys.exit(child.wait() & 255)
`;

interface Place {
  readonly name: string;
  /** The Python program that runs the filter; without one both streams are on a full disk. */
  readonly script?: string;
  /** True: lines are lost at once; false: they wait, up to a bound. */
  readonly loses: boolean;
}

const places: readonly Place[] = [
  { name: "a full disk", loses: true },
  { name: "a pipe that nobody reads", script: onPipe, loses: false },
  { name: "a terminal that has gone away", script: onTerminal, loses: true },
];

for (const { name, script, loses } of places) {
  void t.test(`log: ${name} costs lines at most; calls, the admin address and the end go on`, async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    const sip = await freePort("127.0.0.1");
    const admin = `http://127.0.0.1:${await freeStreamPort("127.0.0.1")}`;
    place.write(
      "sigwall.yaml",
      `${staticText.replace("udp:127.0.0.1:0", `udp:127.0.0.1:${sip}`).replace("127.0.0.1:0\npolicy", `${admin.slice(7)}\npolicy`)}log: { refusalsPerSecond: 1000 }\n`,
    );
    const command = script === undefined ? [] : ["python3", "-c", script];
    const line = [...command, process.execPath, program, "run", "--config", place.config];
    const full = script === undefined ? openSync("/dev/full", "w") : undefined;
    const child = spawn(line[0] ?? "", line.slice(1), { stdio: ["pipe", full ?? "pipe", full ?? "inherit"] });
    t.teardown(() => child.kill("SIGKILL"));
    if (full !== undefined) closeSync(full);
    const ended = once(child, "exit");
    const isUp = async (): Promise<boolean> =>
      fetch(`${admin}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    for (let up = false; !up;) up = await isUp();
    if (script !== undefined) {
      child.stdin?.write("close\n");
      await inTime(once(child.stdout ?? child, "data"), () => "the terminal is not closed");
    }
    const lost = async (): Promise<number> => {
      const text = await (await fetch(`${admin}/metrics`)).text();
      return Number(text.split("\nsigwall_log_lost_total ")[1]?.split("\n")[0]);
    };
    for (let calls = 0; calls < 40; calls++)
      t.equal(await place.placeCall(sip, "01087654400"), "403", `call ${calls}`);
    if (loses) for (let found = 0; found === 0;) found = await lost();
    t.equal(await place.placeCall(sip, "01087654321"), "forwarded");
    t.equal(await isUp(), true);
    child.kill("SIGTERM");
    t.same(await inTime(ended, () => "the filter goes on"), [0, null]);
  });
}
