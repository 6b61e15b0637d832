/** Sends datagrams from addresses that no trunk names: flooder.js ADDRESS PORT PER_SECOND SECONDS SOURCES. Prints how many it sent. */
import { createSocket, type Socket } from "node:dgram";
import { setTimeout as pause } from "node:timers/promises";
import { inviteOf } from "./messages.ts";

const [address = "", port = "0", perSecond = "0", seconds = "0", sources = "1"] = process.argv.slice(2);
/** Milliseconds between two bursts. */
const tick = 5;

const bytes = Buffer.from(
  inviteOf({
    address: "127.99.0.1",
    port: 5060,
    caller: "+861087654321",
    called: "02787654321",
    callId: "flood",
    filter: `${address}:${port}`,
  }),
);
const sockets: Socket[] = [];
for (let source = 0; source < Number(sources); source++) {
  const socket = createSocket({ type: "udp4", lookup: (host, _options, done) => done(null, host, 4) });
  await new Promise<void>((bound) => socket.bind(0, `127.99.${source >> 8}.${source & 255}`, bound));
  sockets.push(socket);
}

const begun = performance.now();
let sent = 0;
for (let last = begun; last - begun < Number(seconds) * 1000;) {
  await pause(tick);
  const now = performance.now();
  // What a very late turn has missed is left out: a burst of it would be another rate.
  const burst = (Math.min(now - last, 4 * tick) / 1000) * Number(perSecond);
  for (let i = 0; i < burst; i++) sockets[sent++ % sockets.length]?.send(bytes, Number(port), address);
  last = now;
}
process.stdout.write(`${sent}\n`);
process.exit(0);
