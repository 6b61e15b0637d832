// What is shipped for two nodes: parsed, and its configuration loaded. No engine runs it here.
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import t from "tap";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { loadStatic } from "../../src/config/load-static.ts";

const load = (path: string, text = readFileSync(path, "utf8")): ReturnType<typeof loadStatic> =>
  loadStatic((asked) => ({ bytes: asked === path ? Buffer.from(text) : readFileSync(asked) }), path);

void t.test("compose: two nodes of one name, one key and one Redis", (t) => {
  const text = readFileSync("docker/cluster/compose.yaml", "utf8");
  const service = z.looseObject({ command: z.array(z.string()), volumes: z.array(z.string()).default([]) });
  const { services, volumes } = z
    .looseObject({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.unknown()) })
    .parse(parse(text, { merge: true }));
  t.same(Object.keys(services), ["redis", "key", "gw-a", "gw-b"]);
  const nodes = ["gw-a", "gw-b"].map((name) => {
    const { command = [], volumes: mounts = [] } = services[name] ?? {};
    t.equal(command.at(-1), `/etc/sigwall-cluster/${name}.yaml`);
    t.same(mounts, [".:/etc/sigwall-cluster:ro", "key:/key:ro", `${name}:/var/lib/sigwall`]);
    t.ok(name in volumes, "a volume of its own");
    const { config } = load(`docker/cluster/${name}.yaml`);
    t.equal(config?.node, name);
    return config;
  });
  const [a, b] = nodes;
  t.ok(a !== undefined && b !== undefined, "both load");
  t.same(a?.redis, b?.redis);
  t.equal(a?.keyFile, b?.keyFile);
  t.same(a?.listen[0]?.advertise, b?.listen[0]?.advertise);
  t.not(a?.listen[0]?.address, b?.listen[0]?.address);
  t.ok(services["redis"]?.command.includes("127.0.0.1"), "nobody else reaches Redis");
  t.end();
});

const pod = z.looseObject({ terminationGracePeriodSeconds: z.number() });
const kubernetesObject = z.looseObject({
  kind: z.string(),
  data: z.record(z.string(), z.string()).default({}),
  spec: z.looseObject({ template: z.looseObject({ spec: pod }).optional() }).optional(),
});

void t.test("Kubernetes: a pod's name is the node, what it keeps stays, and it has time to drain", (t) => {
  const documents = parseAllDocuments(readFileSync("deploy/kubernetes/sigwall.yaml", "utf8"));
  for (const document of documents) t.same(document.errors, []);
  const objects = documents.map((document) => kubernetesObject.parse(document.toJS()));
  const kinds = objects.map(({ kind }) => kind);
  t.same(kinds, ["ConfigMap", "Service", "PodDisruptionBudget", "StatefulSet"]);
  const written = objects[0]?.data["sigwall.yaml"] ?? "";
  const filled = written.replace("$(NODE)", "sigwall-0").replace("$(HOST)", "192.0.2.11");
  const { config, issues } = load("sigwall.yaml", filled);
  const errors = issues.filter(({ severity }) => severity === "error");
  t.same(errors, []);
  t.equal(config?.node, "sigwall-0");
  t.match(objects[3], {
    spec: {
      serviceName: "sigwall",
      template: { spec: { hostNetwork: true, containers: [{ readinessProbe: {}, livenessProbe: {} }] } },
      volumeClaimTemplates: [{ metadata: { name: "state" } }],
    },
  });
  const grace = objects[3]?.spec?.template?.spec.terminationGracePeriodSeconds ?? 0;
  t.ok(grace > (config?.drainSeconds ?? 32), "longer than it drains");
  t.end();
});
