import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parse } from "yaml";
import { z } from "zod";
import { loadStatic } from "../../src/config/load-static.ts";
import { shipped } from "../support/shipped.ts";

const dockerfile = readFileSync("docker/Dockerfile", "utf8");
const demo = readFileSync("docker/demo/Dockerfile", "utf8");
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
  t.match(config.stateFolder, /^\/var\/lib\/sigwall\//, "and so is the state folder");
  t.match(dockerfile, "VOLUME /var/lib/sigwall\n");
  t.end();
});

/** Only what stands here: a key that Compose does not know is a slip. */
const serviceSchema = z.strictObject({
  profiles: z.array(z.enum(["demo", "drachtio"])).optional(),
  build: z.union([z.string(), z.strictObject({ context: z.string(), dockerfile: z.string() })]).optional(),
  image: z
    .string()
    .regex(/:v?\d+\.\d+\.\d+$/)
    .optional(),
  network_mode: z.literal("host"),
  restart: z.literal("unless-stopped"),
  stop_grace_period: z.string().optional(),
  read_only: z.literal(true).optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.tuple([z.literal("ALL")]).optional(),
  security_opt: z.tuple([z.literal("no-new-privileges:true")]).optional(),
  environment: z.record(z.string(), z.string()).optional(),
  depends_on: z.array(z.string()).optional(),
  command: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
});

const { services, volumes } = z
  .strictObject({
    name: z.literal("sigwall"),
    services: z.record(z.string(), serviceSchema),
    volumes: z.record(z.string(), z.strictObject({})),
  })
  .parse(parse(compose));

function service(name: string): z.output<typeof serviceSchema> {
  const found = services[name];
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

/** What follows `option` in the command of a container. */
function argument(name: string, option: string): string {
  const { command } = service(name);
  return command[command.indexOf(option) + 1] ?? "";
}

/** Where a folder or file of `docker/` is mounted, and what. */
function mountsOf(name: string): readonly { readonly from: string; readonly to: string }[] {
  return service(name).volumes.map((mount) => {
    const [from = "", to = ""] = mount.split(":");
    return { from, to };
  });
}

/** The file of the project that a container finds at `path`, by its mounts. */
function fileBehind(name: string, path: string): string {
  for (const { from, to } of mountsOf(name)) {
    if (from.startsWith(".") && (path === to || path.startsWith(`${to}/`)))
      return join("docker", from, path.slice(to.length));
  }
  return "";
}

void t.test("compose: the services, and what they are made of", (t) => {
  t.same(Object.keys(services), ["sigwall", "prometheus", "grafana", "demo-core", "demo-lessee", "drachtio"]);
  for (const [name, { build, image, profiles, depends_on: needed = [] }] of Object.entries(services)) {
    t.not(build === undefined, image === undefined, `${name}: built here, or an image of one version`);
    const context = typeof build === "string" ? build : (build?.context ?? "");
    const file = typeof build === "string" ? join("docker", build, "Dockerfile") : (build?.dockerfile ?? "");
    if (build !== undefined) {
      t.ok(existsSync(join("docker", context)), `${name}: its context`);
      t.ok(existsSync(file), `${name}: its Dockerfile`);
    }
    for (const other of needed) t.ok(other in services, `${name} needs ${other}`);
    t.equal(
      profiles?.[0],
      name.startsWith("demo-") ? "demo" : name === "drachtio" ? "drachtio" : undefined,
      name,
    );
    for (const { from, to } of mountsOf(name)) {
      t.ok(from.startsWith(".") ? existsSync(join("docker", from)) : from in volumes, `${name}: ${from}`);
      t.match(to, /^\//, `${name}: ${to}`);
    }
  }
  t.ok(
    mountsOf("sigwall").some(({ from, to }) => to === "/var/lib/sigwall" && from in volumes),
    "the key and the state folder outlive the container",
  );
  for (const name of ["sigwall", "prometheus", "grafana"])
    t.match(
      service(name),
      { read_only: true, cap_drop: ["ALL"] },
      `${name}: writes to its volumes only, and may nothing`,
    );
  for (const [text, file] of [
    [dockerfile, "docker/Dockerfile"],
    [demo, "docker/demo/Dockerfile"],
  ] as const) {
    for (const [, image = ""] of text.matchAll(/^FROM (\S+)/gm))
      t.match(image, /:\d+\.\d+/, `${file}: ${image} is one version`);
    t.match(text, /^USER (?!root)/m, `${file}: not as root`);
  }
  t.end();
});

void t.test("compose: the filter finds its files, and the key its volume", (t) => {
  t.equal(fileBehind("sigwall", "/etc/sigwall/policy.yaml"), "config/policy.yaml");
  t.equal(fileBehind("sigwall", "/etc/sigwall-static/sigwall.yaml"), "docker/sigwall.yaml");
  for (const path of ["/etc/sigwall", "/etc/sigwall-static/sigwall.yaml", "/var/lib/sigwall"]) {
    t.ok(
      mountsOf("sigwall").some(({ to }) => to === path),
      `${path} is mounted`,
    );
    t.match(dockerfile, path, "and known to the image");
  }
  const grace = Number.parseInt(service("sigwall").stop_grace_period ?? "", 10);
  t.ok(grace > (config?.drainSeconds ?? 32), "longer than it drains");
  t.end();
});

void t.test("compose: Prometheus asks the filter, Grafana asks Prometheus", (t) => {
  const files = service("prometheus").command.find((option) => option.startsWith("--config.file="));
  const main = fileBehind("prometheus", files?.split("=")[1] ?? "");
  t.equal(main, "docker/prometheus.yml");
  const prometheus = z
    .object({
      rule_files: z.array(z.string()),
      scrape_configs: z.array(z.object({ job_name: z.string(), static_configs: z.array(z.unknown()) })),
    })
    .parse(parse(readFileSync(main, "utf8")));
  for (const file of prometheus.rule_files)
    t.equal(fileBehind("prometheus", `/etc/prometheus/${file}`), `docker/${file}`);
  t.match(prometheus.scrape_configs, [
    { job_name: "sigwall", static_configs: [{ targets: [`127.0.0.1:${config?.admin.port ?? 0}`] }] },
  ]);
  t.ok(service("prometheus").command.includes("--web.listen-address=127.0.0.1:9090"));

  const sources = fileBehind("grafana", "/etc/grafana/provisioning/datasources/prometheus.yaml");
  t.match(parse(readFileSync(sources, "utf8")), { datasources: [{ url: "http://127.0.0.1:9090" }] });
  const providers = fileBehind("grafana", "/etc/grafana/provisioning/dashboards/sigwall.yaml");
  t.match(parse(readFileSync(providers, "utf8")), {
    providers: [{ options: { path: "/var/lib/grafana/dashboards" } }],
  });
  const home = service("grafana").environment?.["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] ?? "";
  t.equal(fileBehind("grafana", home), "docker/grafana/dashboards/sigwall.json");
  // GF_SECTION_KEY: the settings of Grafana 11 that may stand here.
  const settings =
    "SERVER_HTTP_ADDR SERVER_HTTP_PORT AUTH_ANONYMOUS_ENABLED AUTH_ANONYMOUS_ORG_ROLE " +
    "SECURITY_DISABLE_INITIAL_ADMIN_CREATION DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH " +
    "ANALYTICS_REPORTING_ENABLED ANALYTICS_CHECK_FOR_UPDATES";
  for (const name of Object.keys(service("grafana").environment ?? {}))
    t.ok(settings.split(" ").includes(name.replace(/^GF_/, "")), name);
  t.equal(service("grafana").environment?.["GF_SERVER_HTTP_ADDR"], "127.0.0.1", "nobody else may look");
  t.end();
});

void t.test("compose: the demo and drachtio stand where the example policy has them", (t) => {
  const policy = readFileSync(join(shipped, "policy.yaml"), "utf8");
  const filter = `127.0.0.1:${config?.listen[0]?.port ?? 0}`;
  t.equal(service("demo-lessee").command.at(-1), filter, "calls go to the filter");
  t.match(
    policy,
    `- id: bj-lease-01 # leased line: only the lessee's own numbers may call\n    side: lessee\n    match: { addresses: [127.0.0.1], ports: [${argument("demo-lessee", "-p")}], listener: udp:${filter} }`,
    "from the lessee's trunk",
  );
  const core = argument("demo-core", "-p");
  t.match(
    policy,
    `match: { addresses: [127.0.0.1], ports: [${core}], listener: ${config?.listen[1]?.id ?? ""} }`,
    "the core",
  );
  t.match(policy, `nextHops: ["sip:127.0.0.1:${core}"]`, "and where accepted calls go");
  const server = readFileSync(fileBehind("drachtio", "/etc/drachtio.conf.xml"), "utf8");
  t.match(server, `<contact>sip:127.0.0.1:${core};transport=udp</contact>`, "in its place");
  t.match(server, /<admin [^>]*>127\.0\.0\.1</, "its admin port is not for others");
  t.match(server, "<loglevel>notice</loglevel>", "no message of a call is logged");
  t.match(server, "<sofia-loglevel>0</sofia-loglevel>");
  t.same(service("drachtio").command, ["drachtio"], "and no option says otherwise");
  const copied = /^COPY (.+) \/demo\/$/m.exec(demo)?.[1]?.split(" ") ?? [];
  t.equal(copied.length, 3);
  for (const name of copied) t.ok(existsSync(`docker/demo/${name}`), name);
  for (const name of ["demo-core", "demo-lessee"]) {
    for (const path of service(name).command.filter((word) => word.startsWith("/")))
      t.ok(copied.includes(path.replace("/demo/", "")), `${name}: ${path}`);
  }
  t.end();
});

void t.test("compose: every variable of the environment is told of", (t) => {
  const names = [...compose.matchAll(/\$\{?([A-Z_]+)/g)].map(([, name = ""]) => name);
  t.same(names, ["DRACHTIO_SECRET"]);
  for (const name of names) t.match(readFileSync("docs/operations.md", "utf8"), `\`${name}\``);
  for (const profile of ["demo", "drachtio"]) t.match(compose, `--profile ${profile} up`);
  t.end();
});
