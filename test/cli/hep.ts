import { createSocket } from "node:dgram";
import { once } from "node:events";
import t from "tap";
import { startFilter } from "./filter-process.ts";
import { openWorkplace, staticText } from "./workplace.ts";

for (const address of ["127.0.0.1", "::1"]) {
  void t.test(`hep: judged calls and their verdicts reach the collector at ${address}`, async (t) => {
    const place = await openWorkplace();
    t.teardown(place.remove);
    const collector = createSocket(address.includes(":") ? "udp6" : "udp4");
    collector.bind(0, address);
    await once(collector, "listening");
    t.teardown(() => collector.close());
    const heard: string[] = [];
    const four = new Promise<void>((resolve) => {
      collector.on("message", (bytes) => {
        heard.push(bytes.toString("latin1"));
        if (heard.length === 4) resolve();
      });
    });
    const target = address.includes(":") ? `[${address}]` : address;
    place.write(
      "sigwall.yaml",
      `${staticText}hep: { target: "${target}:${collector.address().port}", captureId: 7, password: secret }\n`,
    );
    const filter = await startFilter(place.config);
    t.equal(await place.placeCall(filter.sipPort, "01087654321"), "forwarded");
    const accepted = place.lastInvite();
    t.equal(await place.placeCall(filter.sipPort, "anonymous"), "433");
    const refused = place.lastInvite();
    await four;
    t.ok(
      heard.every((packet) => packet.startsWith("HEP3") && packet.includes("secret")),
      "packets with the password",
    );
    t.ok(heard[0]?.endsWith(accepted), "the call that was let through, as it came");
    t.match(heard[1], '{"trunk":"lease","verdict":"accept","reason":"listed","rule":"default"');
    t.ok(heard[2]?.endsWith(refused), "the call that was refused");
    t.match(heard[3], '{"trunk":"lease","verdict":"reject","reason":"cli-hidden","rule":"hidden-caller"');
    const metrics = await (await fetch(`${filter.admin}/metrics`)).text();
    t.match(metrics, "sigwall_hep_sent_total 2\n");
    t.match(metrics, 'sigwall_hep_lost_total{cause="queue"} 0\n');
    t.equal(await filter.stop(), 0);
    t.notMatch(filter.output(), "secret", "the password is not told");
  });
}
