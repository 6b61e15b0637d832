// `npm test`: builds, compiles the tests, runs them and ends with the line "N passed, N failed" (assertions).
// Arguments name areas: `npm test -- sip config` runs test/sip.test.ts and test/config.test.ts.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";

const areas = process.argv.slice(2);
const files = readdirSync("test")
  .filter((name) => name.endsWith(".test.ts") && (areas.length === 0 || areas.includes(name.slice(0, -8))))
  .map((name) => `out/test/${name.slice(0, -3)}.js`);

function run(command, ...args) {
  const { status, error } = spawnSync("npx", ["--no-install", command, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return error === undefined && status === 0;
}

/** tap compiles its set of plugins into itself: once after every installation, and when .taprc asks for others. */
function buildTap() {
  const marker = "node_modules/.cache/sigwall/taprc";
  const wanted = readFileSync(".taprc", "utf8");
  try {
    if (readFileSync(marker, "utf8") === wanted) return true;
  } catch {
    // Not built yet.
  }
  if (spawnSync("npx", ["--no-install", "tap", "build"], { stdio: "ignore" }).status !== 0) return false;
  mkdirSync("node_modules/.cache/sigwall", { recursive: true });
  writeFileSync(marker, wanted);
  return true;
}

function finish(passed, failed) {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

/** Shows files, failures with their diagnosis, and skips with their reason; the rest of the TAP is only counted. */
function createReader() {
  let passed = 0;
  let failed = 0;
  let diagnosis = false;
  const read = (line) => {
    const text = line.trimStart();
    const depth = line.length - text.length;
    if (diagnosis) {
      console.log(line);
      diagnosis = text !== "...";
      return;
    }
    if (text.startsWith("not ok") || (depth === 0 && text.startsWith("ok "))) console.log(line);
    else if (text.includes("# SKIP") || text.includes("# TODO")) console.log(line);
    else if (text.startsWith("Bail out!")) console.log(line);
    else if (text === "---" && lastWasFailure) {
      console.log(line);
      diagnosis = true;
    } else if (depth === 0 && text.startsWith("# {")) {
      passed = figure(text, "pass");
      failed = figure(text, "fail");
    }
    lastWasFailure = text.startsWith("not ok");
  };
  let lastWasFailure = false;
  return { read, result: () => ({ passed, failed }) };
}

/** A figure of tap's last line, `# { total: 12, pass: 11, fail: 1 }`; 0 when it isn't there. */
function figure(line, name) {
  const at = line.indexOf(`${name}: `);
  return at === -1 ? 0 : Number.parseInt(line.slice(at + name.length + 2), 10);
}

function runTests() {
  const tap = spawn("npx", ["--no-install", "tap", "run", "--reporter=tap", ...files], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const reader = createReader();
  createInterface({ input: tap.stdout }).on("line", reader.read);
  tap.on("close", (code) => {
    const { passed, failed } = reader.result();
    finish(passed, code === 0 ? failed : Math.max(failed, 1));
  });
}

const built = run("tsc", "-p", "tsconfig.build.json") && run("tsc", "-p", "tsconfig.test.json") && buildTap();
if (built && files.length > 0) runTests();
else finish(0, 1);
