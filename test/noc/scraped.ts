import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { startFilter } from "../cli/filter-process.ts";
import { openWorkplace, staticText } from "../cli/workplace.ts";
import { createAuthority } from "../support/certificates.ts";
import { openDnsServer } from "../support/dns-server.ts";
import { openTestDrachtio } from "../support/drachtio-server.ts";
import { openNode, redisAt } from "../support/exchange-nodes.ts";
import { request } from "../support/proxy.ts";
import { noRedis, startRedis } from "../support/redis-server.ts";
import { startPrometheus } from "./prometheus-process.ts";
import { queries } from "./queries.ts";

const message = request({
  method: "MESSAGE",
  via: ["SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKm1;rport"],
});

void t.test(
  "a Prometheus scrapes the filter: every query of every panel, alarm and figure finds its series",
  async (t) => {
    const place = await openWorkplace();
    const dns = await openDnsServer();
    const redis = noRedis === undefined ? await startRedis(place.folder) : undefined;
    dns.zone.set("A core.test", [{ data: "127.0.0.1", ttl: 60 }]);
    // A trunk whose calls go to a name: only then there is something to say of DNS.
    const named = `  - { id: named, side: national, match: { addresses: [192.0.2.77] }, nextHops: ["sip:core.test:5999"] }
lessees:`;
    place.write(
      "policy.yaml",
      place.policy({ rules: "{ display-name: { mode: monitor } }" }).replace("lessees:", named),
    );
    // A listener with a certificate: only then there is something to say of its expiry.
    const authority = createAuthority(place.folder);
    const own = authority.issue("filter", "DNS:filter.test");
    const tls = { certificate: own.certificateFile, key: own.keyFile, ca: authority.certificateFile };
    place.write(
      "sigwall.yaml",
      `${staticText.replace("udp:127.0.0.1:0", '"udp:127.0.0.1:0", "tls:127.0.0.1:0"')}tls: ${JSON.stringify(tls)}\nnameServers: ["${dns.place}"]\nrecords: { folder: records }\n${redis === undefined ? "" : `redis: { url: "${redis.url}" }\n`}`,
    );
    const filter = await startFilter(place.config);
    // Another node: only then there is something to say of nodes.
    const keyFile = join(place.folder, "own.key");
    const other =
      redis === undefined
        ? undefined
        : openNode(redisAt(redis.url), "other", 1000, {
            secret: Buffer.from(readFileSync(keyFile, "latin1").trim(), "hex"),
          });
    // And a filter whose calls a server carries: only then there is a server to say something of.
    const server = await openTestDrachtio();
    const servers = JSON.stringify([{ host: server.host, port: server.adminPort, secret: server.secret }]);
    place.write(
      "drachtio.yaml",
      `engine: drachtio\ndrachtio: { servers: ${servers} }\n${staticText.replace("own.key", "other.key")}`,
    );
    const carried = await startFilter(join(place.folder, "drachtio.yaml"));
    const prometheus = await startPrometheus(new URL(filter.admin).host, new URL(carried.admin).host);
    t.teardown(async () => {
      await prometheus?.stop();
      await filter.stop();
      await other?.exchange.close();
      await redis?.kill();
      await carried.stop();
      await server.close();
      await dns.close();
      place.remove();
    });
    if (prometheus === undefined) {
      t.pass("prometheus", { skip: "not installed: no query was asked" });
      return;
    }
    // No call yet: what is asked then must not depend on one. Other requests have no series before the first of them.
    t.equal(await place.send(filter.sipPort, message), "405");
    await prometheus.until("count_over_time(instance:sigwall_decisions:rate5m[1m]) > 1");
    if (noRedis !== undefined) t.pass("queries about nodes", { skip: noRedis });
    for (const { where, expr, labels } of queries) {
      if (redis === undefined && (expr.includes("sigwall_redis") || expr.includes("sigwall_cluster")))
        continue;
      const samples = await prometheus.query(expr);
      t.ok(samples.length > 0, `${where}: ${expr}`);
      for (const label of labels)
        t.ok(
          samples.some((sample) => label in sample.labels),
          `${where}: its text names ${label}`,
        );
    }

    for (const from of ["01087654321", "01087654400", "anonymous", "01087654401"])
      await place.placeCall(filter.sipPort, from);
    const refused = 'sum(increase(sigwall_attempts_total{verdict="reject"}[1m]))';
    await prometheus.until(`${refused} > 2.9`);
    await prometheus.until('instance_trunk:sigwall_refusals:ratio_rate5m{trunk="lease"} > 0.7 < 0.8');
    const [ratio] = await prometheus.query(
      `round(instance_trunk:sigwall_refusals:ratio_rate5m{trunk="lease",instance="${new URL(filter.admin).host}"}, 0.001)`,
    );
    t.equal(ratio?.value, 0.75, "three of four, the first of each reason among them");
    const [silent] = await prometheus.query('instance_trunk:sigwall_refusals:ratio_rate5m{trunk="named"}');
    t.equal(silent?.value, 0, "no calls, no refusals");
  },
);
