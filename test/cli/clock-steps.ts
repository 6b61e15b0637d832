import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import t from "tap";
import { freeStreamPort } from "../support/free-port.ts";
import { request, respond } from "../support/proxy.ts";
import { inTime, until } from "../support/until.ts";
import { startFilter } from "./filter-process.ts";
import { list, openWorkplace } from "./workplace.ts";

const HOUR = 3_600_000;
/** The interval timers of Node stay as they are; only what is asked for the date is told something else. */
const library = findLibrary();

function findLibrary(): string | undefined {
  const folders = existsSync("/usr/lib") ? readdirSync("/usr/lib") : [];
  return folders
    .map((folder) => join("/usr/lib", folder, "faketime/libfaketimeMT.so.1"))
    .find((path) => existsSync(path));
}

/** Where the parties are. The filter is at 127.0.0.1. */
const place = { lessee: "127.0.0.2", core: "127.0.0.3", other: "127.0.0.4" };

/** A party on a connection of its own, and what it has heard. */
interface Party {
  readonly socket: Socket;
  readonly heard: () => string;
  readonly invite: (call: string) => void;
}

async function openParty(port: number, from: string): Promise<Party> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  let heard = "";
  socket.on("error", () => undefined);
  socket.setEncoding("latin1").on("data", (text: string) => (heard += text));
  await once(socket, "connect");
  return {
    socket,
    heard: () => heard,
    invite(call) {
      const via = [`SIP/2.0/TCP ${from}:5060;branch=z9hG4bK${call}`];
      socket.write(
        request({ via, callId: `${call}@${from}`, from: `<sip:01087654321@${from}>;tag=${call}` }),
      );
    },
  };
}

if (library === undefined) t.pass("clock steps", { skip: "faketime is not installed: no clock is set" });
else
  for (const hours of [-8, 8]) {
    void t.test(
      `the clock is set by ${hours} h: no timer, no back-off, no connection and no call is touched`,
      async (t) => {
        const work = await openWorkplace();
        t.teardown(work.remove);
        const core = createSocket("udp4").bind(0, place.core);
        await once(core, "listening");
        t.teardown(() => core.close());
        // A port on which nobody listens yet.
        const latePort = await freeStreamPort(place.core);

        const setClock = (by: number): void => work.write("clock", `${by >= 0 ? "+" : ""}${by}h\n`);
        setClock(0);
        work.write("own.csv", list);
        work.write(
          "sigwall.yaml",
          "listen: [udp:127.0.0.1:0, tcp:127.0.0.1:0]\nadmin: 127.0.0.1:0\npolicy: policy.yaml\nkeyFile: own.key\ndrainSeconds: 0\n",
        );
        work.write(
          "policy.yaml",
          `version: 1
trunks:
  - { id: core, side: core, match: { addresses: [${place.core}] } }
  - { id: lease, side: lessee, match: { addresses: [${place.lessee}] }, lessee: own, areaCode: "10", nextHops: ["sip:${place.core}:${core.address().port}"] }
  - { id: other, side: lessee, match: { addresses: [${place.other}] }, lessee: own, areaCode: "10", nextHops: ["sip:${place.core}:${latePort};transport=tcp"] }
lessees:
  - { id: own, numbers: own.csv }
nextHopHealth: { probe: off }
`,
        );
        const filter = await startFilter(work.config, [], undefined, {
          LD_PRELOAD: library,
          FAKETIME_TIMESTAMP_FILE: join(work.folder, "clock"),
          FAKETIME_NO_CACHE: "1",
          FAKETIME_DONT_FAKE_MONOTONIC: "1",
        });
        const port = Number(/tcp:127\.0\.0\.1:(\d+)/u.exec(filter.output())?.[1]);
        const seen: { readonly call: string; readonly at: number }[] = [];
        core.on("message", (bytes, from) => {
          const text = bytes.toString("latin1");
          const call = /call-id: (\w+)/iu.exec(text)?.[1] ?? "";
          if (!text.startsWith("INVITE")) return;
          seen.push({ call, at: performance.now() });
          if (call === "standing") core.send(respond(text, 200), from.port, from.address);
        });

        const lessee = await openParty(port, place.lessee);
        lessee.invite("standing");
        await until(() => lessee.heard().includes("SIP/2.0 200"));
        const other = await openParty(port, place.other);
        other.invite("early");
        await until(() => other.heard().includes("SIP/2.0 503"));
        lessee.invite("waiting");
        const timesOf = (call: string): readonly number[] =>
          seen.filter((each) => each.call === call).map(({ at }) => at);
        await until(() => timesOf("waiting").length === 1);

        setClock(hours);
        const lines = filter.lineCount();
        other.socket.write(
          request({
            via: [`SIP/2.0/TCP ${place.other}:5060;branch=z9hG4bKforeign`],
            callId: "foreign",
            from: `<sip:01087654400@${place.other}>;tag=x`,
          }),
        );
        const line = await filter.logged(["cli-not-listed"], lines);
        const step = Date.parse(/"time":"([^"]+)"/u.exec(line)?.[1] ?? "") - Date.now();
        t.ok(Math.abs(step - hours * HOUR) < HOUR / 2, `the log follows the clock: ${step} ms`);

        // Timer A: 500 ms, then twice as long each time.
        await inTime(
          until(() => timesOf("waiting").length === 4),
          () => `repeats at ${timesOf("waiting").join(", ")}`,
        );
        const times = timesOf("waiting");
        const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
        for (const [index, expected] of [500, 1000, 2000].entries()) {
          const gap = gaps[index] ?? 0;
          t.ok(
            gap > expected - 250 && gap < expected + 5000,
            `repeat ${index + 1} after ${gap.toFixed(0)} ms`,
          );
        }
        t.notMatch(lessee.heard(), /SIP\/2\.0 408/u, "nobody has run out of time");

        const hop = createServer((socket) => void socket.on("error", () => undefined));
        const reached = once(hop, "connection");
        hop.listen(latePort, place.core);
        await once(hop, "listening");
        t.teardown(() => hop.close());
        let tries = 0;
        const trying = setInterval(() => other.invite(`call${tries++}`), 100);
        await inTime(reached, () => "the back-off lasts for hours").finally(() => clearInterval(trying));

        t.notOk(lessee.socket.closed, "connections stay");
        t.notOk(other.socket.closed);
        const metrics = await (await fetch(`${filter.admin}/metrics`)).text();
        t.match(metrics, /^sigwall_channels\{trunk="lease"\} 1$/mu, "and so does the call in progress");
        t.notMatch(metrics, /^sigwall_connections_closed_total\{.*reason="(?:idle|incomplete)".*\} [1-9]/mu);
        lessee.socket.destroy();
        other.socket.destroy();
        t.equal(await filter.stop(), 0);
      },
    );
  }
