// `npm run test:nodes`: the areas that depend most on Node, under other versions of it: `npm run test:nodes -- 22 24`.
// The programs come from the npm registry: the package `node` has one package a platform. Ends with "N passed, N failed".
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const AREAS = ["sip", "engines", "records"].filter((area) => existsSync(`test/${area}.test.ts`));
const given = process.argv.slice(2);
const versions = given.length === 0 ? ["22", "24"] : given;
const folder = mkdtempSync(join(tmpdir(), "sigwall-nodes-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));

/** Fails where the package koffi does not load, or its sockets are not in use. */
const CHECK = `
const { chooseDatagramSockets } = await import("./out/src/wire/udp/datagram-sockets.js");
const { kind, missing } = await chooseDatagramSockets("auto");
const { default: koffi } = await import("koffi");
console.log(\`node \${process.version}: koffi \${koffi.version}, \${kind} sockets\${missing === undefined ? "" : \`: \${missing}\`}\`);
process.exitCode = kind === "batched" ? 0 : 1;
`;

/** Installs the newest node of a major version beside the project; undefined when the registry does not have it. */
function install(version) {
  const at = join(folder, version);
  mkdirSync(at);
  const name = `node${process.platform === "darwin" && process.arch === "arm64" ? "-bin" : ""}-${process.platform}-${process.arch}`;
  const options = [
    "--no-save",
    "--no-audit",
    "--no-fund",
    "--ignore-scripts",
    "--loglevel=error",
    "--prefix",
    at,
  ];
  const { status } = spawnSync("npm", ["install", ...options, `${name}@${version}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const program = join(at, "node_modules", name, "bin", "node");
  return status === 0 && existsSync(program) ? program : undefined;
}

/** Runs the areas; what they count. The line that counts them is told as one of several. */
async function runAreas(program, version) {
  const child = spawn(program, ["scripts/test.mjs", "--no-build", ...AREAS], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let last = "";
  for await (const line of createInterface({ input: child.stdout })) {
    if (last !== "") console.log(last);
    last = line;
  }
  const [passed, failed] = last.split(" passed, ").map((figure) => Number.parseInt(figure, 10));
  console.log(`node ${version}: ${last}`);
  return Number.isNaN(passed) || failed === undefined ? { passed: 0, failed: 1 } : { passed, failed };
}

function build() {
  const tsc = ["node_modules/typescript/bin/tsc", "-p", "tsconfig.test.json"];
  return spawnSync(process.execPath, tsc, { stdio: ["ignore", "inherit", "inherit"] }).status === 0;
}

let [passed, failed] = [0, 0];
const fail = (why) => {
  failed++;
  console.log(`not ok ${why}`);
};
if (!build()) fail("the tests do not compile");
else {
  for (const version of versions) {
    const program = install(version);
    if (program === undefined) {
      fail(`node ${version} is not to be had from the registry`);
      continue;
    }
    const { status } = spawnSync(program, ["--input-type=module", "--eval", CHECK], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    if (status === 0) passed++;
    else fail(`node ${version}: batched sockets are not in use`);
    const counted = await runAreas(program, version);
    passed += counted.passed;
    failed += counted.failed;
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
