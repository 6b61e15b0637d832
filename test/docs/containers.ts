import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import t from "tap";
import { parse } from "yaml";
import { z } from "zod";
import { loadStatic } from "../../src/config/load.ts";
import { createCounters } from "../../src/observe/counters.ts";
import { createMetrics } from "../../src/observe/metrics.ts";

const dockerfile = readFileSync("docker/Dockerfile", "utf8");
const compose = readFileSync("docker/compose.yaml", "utf8");
const { config } = loadStatic((path) => ({ bytes: readFileSync(path) }), "docker/sigwall.yaml");

void t.test("image: everything that is copied is there, and the context lets it in", (t) => {
  const ignored = readFileSync("docker/Dockerfile.dockerignore", "utf8").split("\n");
  const copies = dockerfile
    .split("\n")
    .filter((line) => line.startsWith("COPY ") && !line.includes("--from="));
  const sources = copies.flatMap((line) => line.split(" ").slice(1, -1));
  t.ok(sources.length > 5, "the copies were found");
  for (const source of sources) {
    t.ok(existsSync(source), `${source} exists`);
    t.ok(ignored.includes(`!${source}`), `${source} is let into the context`);
  }
  t.match(dockerfile, /^USER (?!root)/m, "not as root");
  t.match(dockerfile, '"/app/dist/main.js"');
  t.match(readFileSync("package.json", "utf8"), '"sigwall": "dist/main.js"');
  t.end();
});

void t.test("image: its configuration loads, and its ports are those of the image", (t) => {
  if (config === undefined) throw new Error("docker/sigwall.yaml does not load");
  t.match(
    dockerfile,
    `http://127.0.0.1:${config.admin.port}/readyz`,
    "the health of the image is our readiness",
  );
  const exposed = config.listen.map(({ port, transport }) => `${port}/${transport}`);
  t.match(dockerfile, `EXPOSE ${[...exposed, `${config.admin.port}/tcp`].join(" ")}\n`);
  t.equal(config.policy, "/etc/sigwall/policy.yaml");
  t.ok(existsSync("config/policy.yaml"), "which is the example's, copied or mounted there");
  t.match(config.keyFile, /^\/var\/lib\/sigwall\//, "the key is in the volume");
  t.match(dockerfile, "VOLUME /var/lib/sigwall\n");
  t.end();
});

const composeSchema = z.object({
  services: z.record(
    z.string(),
    z.object({ volumes: z.array(z.string()), build: z.object({ dockerfile: z.string() }).optional() }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});

void t.test("compose: mounts what exists, where it is looked for", (t) => {
  const { services, volumes } = composeSchema.parse(parse(compose));
  t.same(Object.keys(services), ["sigwall", "prometheus"]);
  t.ok(existsSync(services["sigwall"]?.build?.dockerfile ?? ""), "the Dockerfile");
  for (const mount of Object.values(services).flatMap((service) => service.volumes)) {
    const [from = "", to = ""] = mount.split(":");
    t.ok(from.startsWith(".") ? existsSync(`docker/${from}`) : from in volumes, mount);
    t.match(to, /^\//, mount);
  }
  const targets = Object.values(services).flatMap((service) =>
    service.volumes.map((mount) => mount.split(":")[1]),
  );
  for (const path of ["/etc/sigwall", "/etc/sigwall-static/sigwall.yaml", "/var/lib/sigwall"]) {
    t.ok(targets.includes(path), `${path} is mounted`);
    t.match(dockerfile, path, `and known to the image`);
  }
  t.match(compose, "--config.file=/etc/prometheus/prometheus.yml");
  t.ok(targets.includes("/etc/prometheus/prometheus.yml"));
  t.end();
});

void t.test("prometheus: scrapes the admin address, and its alarms name metrics that exist", async (t) => {
  const prometheus = readFileSync("docker/prometheus.yml", "utf8");
  const alerts = readFileSync("docker/alerts.yml", "utf8");
  t.match(prometheus, `targets: ["127.0.0.1:${config?.admin.port ?? 0}"]`);
  const [ruleFile] = z.object({ rule_files: z.array(z.string()) }).parse(parse(prometheus)).rule_files;
  t.ok(existsSync(`docker/${ruleFile ?? ""}`));
  t.match(compose, `/etc/prometheus/${ruleFile ?? ""}`);
  const rendered = await createMetrics({
    counters: createCounters(),
    reloads: { ok: 0, failed: 0 },
    sockets: "dgram",
    policy: () => ({ revision: "", lists: [] }),
    tableFull: {},
    ruleFaults: {},
    nextHops: () => [],
    names: () => [],
  }).render();
  const named = alerts.match(/sigwall_[a-z_]+/g) ?? [];
  t.ok(named.length >= 4, "the alarms were found");
  for (const name of named) t.match(rendered, `# TYPE ${name} `, name);

  const promtool = spawnSync("promtool", ["check", "config", "docker/prometheus.yml"], { encoding: "utf8" });
  if (promtool.error === undefined)
    t.equal(promtool.status, 0, `promtool: ${promtool.stdout}${promtool.stderr}`);
  else t.pass("promtool", { skip: "not installed: Prometheus's own check of its files is left out" });
});
