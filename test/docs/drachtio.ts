import t from "tap";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadStatic } from "../../src/config/load-static.ts";
import { differences } from "../engines/drachtio-differences.ts";
import { scenarios } from "../engines/scenarios.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";
import { shipped } from "../support/shipped.ts";

const page = readFileSync("docs/drachtio.md", "utf8");
const server = readFileSync("docker/drachtio.conf.xml", "utf8");
const firewall = readFileSync("docker/drachtio.nft", "utf8");
const readFile = (path: string): { readonly bytes: Buffer } => ({ bytes: readFileSync(path) });

void t.test("docs/drachtio.md: the calls that end otherwise are those of the tests", (t) => {
  const start = page.indexOf("| call | embedded | drachtio | because |");
  const rows = page
    .slice(start, page.indexOf("\n\n", start))
    .split("\n")
    .slice(2)
    .map((line) => line.slice(2, -2).split(" | "));
  const expected = Object.entries(differences).map(([name, { status, because }]) => {
    const embedded = scenarios.find((scenario) => scenario.name === name)?.status;
    return [name, String(embedded ?? "silence"), String(status), because];
  });
  t.same(rows, expected);
  t.end();
});

void t.test(
  "drachtio in front of nobody: the server stands where the example policy sends its calls",
  (t) => {
    const { policy } = loadPolicy(readFile, join(shipped, "policy.yaml"));
    const [hop] = policy?.trunkById("bj-lease-01")?.trunk.nextHops ?? [];
    t.match(server, `<contact>sip:${hop?.address}:${hop?.port};transport=udp</contact>`);
    t.match(server, "<cdrs>true</cdrs>");
    const admin = /<admin port="(\d+)" secret="([^"]+)">127\.0\.0\.1</.exec(server);
    const { config } = loadStatic(readFile, join(shipped, "drachtio.yaml"));
    t.match(config?.drachtio?.servers, [{ host: "127.0.0.1", port: Number(admin?.[1]), secret: admin?.[2] }]);
    for (const port of [hop?.port, admin?.[1]])
      t.match(firewall, `dport ${port} `, `the firewall knows port ${port}`);
    const ports = new Set([...firewall.matchAll(/dport (\d+)/g)].map((match) => match[1]));
    t.same(ports, new Set([String(hop?.port), admin?.[1]]), "and no other");
    t.end();
  },
);

void t.test("the nftables file parses", (t) => {
  const checked = spawnSync("nft", ["-c", "-f", "docker/drachtio.nft"], { encoding: "utf8" });
  if (checked.error !== undefined || checked.stderr.includes("Operation not permitted"))
    t.pass("nft", { skip: "not installed, or not allowed to ask the kernel here" });
  else t.equal(checked.status, 0, checked.stderr);
  t.end();
});
