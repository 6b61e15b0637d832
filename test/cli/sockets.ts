import { createSocket } from "node:dgram";
import t from "tap";
import { chooseDatagramSockets } from "../../src/wire/udp/datagram-sockets.ts";
import { startFilter } from "./filter-process.ts";
import { openWorkplace, staticText } from "./workplace.ts";

/** Datagrams of a stranger, a few with every turn of the loop, until it is stopped. */
function flood(port: number): { readonly stop: () => void } {
  const socket = createSocket("udp4");
  // The filter may be gone before the last one.
  socket.on("error", () => undefined);
  const isOver = new AbortController();
  const send = (): void => {
    if (isOver.signal.aborted) return;
    for (let index = 0; index < 8; index++) socket.send("INVITE of nobody", port, "127.0.0.1");
    setImmediate(send);
  };
  socket.bind(0, "127.0.0.1", send);
  return {
    stop() {
      isOver.abort();
      socket.close();
    },
  };
}

const { missing } = await chooseDatagramSockets("auto");

for (const wanted of ["auto", "dgram", "batched"] as const) {
  const kind = wanted === "dgram" || missing !== undefined ? "dgram" : "batched";

  void t.test(`run: sockets: ${wanted} is ${kind}, and under a flood the process goes on`, async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    place.write("sigwall.yaml", `${staticText}sockets: ${wanted}\n`);
    const filter = await startFilter(place.config);
    t.match(filter.output(), `"sockets":"${kind}"`);
    if (wanted !== "dgram" && missing !== undefined) await filter.logged(["node:dgram", missing]);

    const { stop } = flood(filter.sipPort);
    t.teardown(stop);
    // The kernel drops what finds no room beside the flood: the calling party repeats.
    t.equal(await place.placeCall(filter.sipPort, "01087654321", true), "forwarded");
    filter.signal("SIGHUP");
    await filter.logged(["policy reloaded"]);
    const metrics = await (await fetch(`${filter.admin}/metrics`)).text();
    t.match(metrics, `sigwall_sockets_info{kind="${kind}"} 1\n`);
    t.notMatch(metrics, "sigwall_unknown_source_messages_total 0\n", "the flood came in");
    // Lines of refusals are written by a timer.
    t.equal(await place.placeCall(filter.sipPort, "01087654400", true), "403");
    await filter.logged(["call refused", "cli-not-listed"]);
    t.equal(await filter.stop(), 0, "exit code after SIGTERM");
  });
}
