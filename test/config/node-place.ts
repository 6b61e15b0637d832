import tap from "tap";
import { findPlace, type Surroundings } from "../../src/config/sigwall/node-place.ts";
import { loadStatic } from "../../src/config/load-static.ts";
import { filesOf, printed } from "./files.ts";

const least = "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\n";

function place(text: string, surroundings: Partial<Surroundings> = {}): ReturnType<typeof findPlace> {
  const path = "conf/sigwall.yaml";
  const { config, issues } = loadStatic(filesOf({ [path]: `${least}${text}` }), path);
  if (config === undefined) throw new Error(printed(issues).join("\n"));
  return findPlace(config, path, { host: "gw-a", environment: {}, ...surroundings });
}

void tap.test("node: as the file has it, else the host name, changed where it can't be one", async (t) => {
  const long = `${"a".repeat(63)}.example.com`;
  const rows: readonly (readonly [yaml: string, host: string, node: string, isChanged: boolean])[] = [
    ["", "gw-a", "gw-a", false],
    ["", "gw-a.example.com", "gw-a.example.com", false],
    ["", "GW_1", "GW_1", false],
    ["node: gw-b\n", "gw-a", "gw-b", false],
    ["node: gw-b\n", "", "gw-b", false],
    ["", "gw a/b", "gw-a-b", true],
    ["", "..gw-a", "gw-a", true],
    ["", "网关", "sigwall", true],
    ["", "", "sigwall", true],
    ["", "a".repeat(64), "a".repeat(64), false],
    ["", long, long.slice(0, 64), true],
    ["", "seal", "node-seal", true],
    ["", "seal.example.com", "seal.example.com", false],
    ["", "gw-a.attempts", "node-gw-a-attempts", true],
    ["", `${"a".repeat(55)}.endings`, `node-${"a".repeat(55)}-end`, true],
  ];
  for (const [yaml, host, node, isChanged] of rows) {
    const found = place(yaml, { host });
    t.equal(found.node, node, `${yaml}${host}`);
    t.equal(found.warning !== undefined, isChanged, `${yaml}${host}: a warning`);
  }
  t.equal(
    place("", { host: "gw a" }).warning,
    'the host name "gw a" can\'t be a node name; the node is called "gw-a": set `node` in sigwall.yaml',
  );
});

function refused(node: string): readonly string[] {
  return printed(loadStatic(filesOf({ "s.yaml": `${least}node: ${node}\n` }), "s.yaml").issues);
}

void tap.test("node: what can't stand in ids and file names is refused, with the reason", async (t) => {
  for (const node of ["a", "gw-a", '"9"', "a.b_c-d", "x".repeat(64)]) t.same(refused(node), [], node);
  for (const node of [
    '""',
    '" gw-a"',
    "gw/a",
    "../gw-a",
    ".gw",
    "-gw",
    "_gw",
    "网关",
    '"gw a"',
    "x".repeat(65),
  ])
    t.match(
      refused(node).join("\n"),
      's.yaml:3:1 node: a node name has 1 to 64 letters, digits, ".", "_" or "-" and begins with a letter or digit: it stands in call ids (NODE-EPOCH-COUNT) and file names',
      node,
    );
});

void tap.test("node: a name whose files would be taken for others is refused", async (t) => {
  const rows: readonly (readonly [node: string, why: string | undefined])[] = [
    ["seal", '"seal.lock" belongs to `sigwall seal`'],
    ["policies", '"policies.lock" belongs to the folder of kept policies'],
    ["Seal", undefined],
    ["seal-1", undefined],
    ["a.seal", undefined],
    ["gw-a.attempts", 'files that end with ".attempts" belong to sealed records'],
    ["gw-a.endings", 'files that end with ".endings" belong to sealed records'],
    ["gw-a.others", 'files that end with ".others" belong to sealed records'],
    ["attempts", undefined],
    ["gw-a-attempts", undefined],
    ["gw-a.attempts.1", undefined],
  ];
  for (const [node, why] of rows)
    t.same(
      refused(node),
      why === undefined ? [] : [`s.yaml:3:1 node: ${why}: give the node another name`],
      node,
    );
});

void tap.test("state folder: the file's, else systemd's, else beside the file", async (t) => {
  const rows: readonly (readonly [yaml: string, environment: string | undefined, folder: string])[] = [
    ["", undefined, "conf/state"],
    ["", "", "conf/state"],
    ["", "/var/lib/sigwall", "/var/lib/sigwall"],
    ["", "/var/lib/sigwall:/var/lib/other", "/var/lib/sigwall"],
    ["", "relative", "conf/state"],
    ["stateFolder: kept\n", "/var/lib/sigwall", "conf/kept"],
    ["stateFolder: /srv/kept\n", undefined, "/srv/kept"],
  ];
  for (const [yaml, folder, expected] of rows)
    t.equal(
      place(yaml, { environment: { STATE_DIRECTORY: folder } }).stateFolder,
      expected,
      `${yaml}${folder}`,
    );
  t.match(
    printed(loadStatic(filesOf({ "s.yaml": `${least}stateFolder: " "\n` }), "s.yaml").issues).join("\n"),
    "s.yaml:3:1 stateFolder: must not be empty",
  );
});
