// `npm test`: builds, compiles the tests, runs the short areas and ends with the line "N passed, N failed" (assertions).
// `npm run test:long`: the same for the long areas. An area is a file: test/AREA.test.ts is short, test/AREA.long.ts is long.
// Arguments name areas: `npm test -- sip config`. Options: --long; --soak MINUTES, for the area soak; --no-build: out/ is as wanted.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { runArea } from "./test-area.mjs";

const { values: options, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    long: { type: "boolean", default: false },
    soak: { type: "string" },
    "no-build": { type: "boolean", default: false },
  },
});
/** Areas that run at the same time. */
const JOBS = 2;
/** Started first, so that none of them is left alone at the end. */
const SLOWEST = ["cli", "ask", "records", "engines", "proxy", "sctp", "fuzz", "sipp", "noc"];
/** An area that prints nothing for so long hangs. Milliseconds. */
const MOST_SILENCE = ((options.long ? 600 : 300) + 60 * Number(options.soak ?? 0)) * 1000;

const ending = options.long ? ".long" : ".test";
const known = readdirSync("test")
  .filter((name) => name.endsWith(`${ending}.ts`))
  .map((name) => name.slice(0, -`${ending}.ts`.length));
const rank = (area) => (SLOWEST.indexOf(area) + SLOWEST.length + 1) % (SLOWEST.length + 1);
const areas = (wanted.length === 0 ? known : known.filter((area) => wanted.includes(area))).toSorted(
  (a, b) => rank(a) - rank(b),
);

function run(script, ...args) {
  return (
    spawnSync(process.execPath, [script, ...args], { stdio: ["ignore", "inherit", "inherit"] }).status === 0
  );
}

function build() {
  const tsc = "node_modules/typescript/bin/tsc";
  return run(tsc, "-p", "tsconfig.build.json") && run(tsc, "-p", "tsconfig.test.json");
}

function finish(passed, failed) {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}

async function runAreas() {
  const env = { ...process.env, ...(options.soak === undefined ? {} : { SOAK_MINUTES: options.soak }) };
  const waiting = [...areas];
  const results = [];
  const work = async () => {
    for (let area = waiting.shift(); area !== undefined; area = waiting.shift()) {
      const result = await runArea(area, `out/test/${area}${ending}.js`, env, MOST_SILENCE);
      results.push(result);
      console.log(
        `${result.failed === 0 ? "ok" : "not ok"} ${area}: ${result.passed} passed, ${result.failed} failed, ${result.seconds.toFixed(1)} s`,
      );
      for (const line of result.lines) console.log(`  ${line}`);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
  return results;
}

function summarise(results) {
  const skips = results.flatMap(({ area, skips: ofArea }) => ofArea.map((skip) => `  ${area}: ${skip}`));
  if (skips.length > 0) console.log(["skipped:", ...skips].join("\n"));
  const isCi = process.env.CI !== undefined && process.env.CI !== "";
  const slowest = results.toSorted((a, b) => b.seconds - a.seconds).slice(0, isCi ? undefined : 5);
  console.log(isCi ? "time of each area:" : "the five slowest areas:");
  for (const { area, seconds } of slowest) console.log(`  ${seconds.toFixed(1).padStart(6)} s  ${area}`);
  const sum = (name) => results.reduce((total, result) => total + result[name], 0);
  finish(sum("passed"), sum("failed"));
}

const unknown = wanted.filter((area) => !known.includes(area));
if (unknown.length > 0) {
  console.log(`no area ${unknown.join(", ")}; there are: ${known.join(", ")}`);
  finish(0, 1);
} else if (options["no-build"] || build()) summarise(await runAreas());
else finish(0, 1);
