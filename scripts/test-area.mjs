// Runs one area of the tests in a process of its own, and reads the TAP that it prints.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** How long an area may take to tell what it waits for, before it is killed. Milliseconds. */
const LAST_WORDS = 10_000;

/** Running areas. What they have started ends with them: each leads a process group. */
const running = new Set();
const killGroup = (child, signal) => {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone.
  }
};
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
])
  process.once(signal, () => {
    for (const child of running) killGroup(child, "SIGKILL");
    process.exit(code);
  });

/** The area that `file` holds: what it counted, how long it took, what it skipped, and the lines that people read when it fails. */
export async function runArea(area, file, env, mostSilence) {
  const begun = Date.now();
  const child = spawn(process.execPath, ["--enable-source-maps", file], {
    // The time of an area is not bounded; its silence is.
    env: { ...env, TAP_TIMEOUT: "0" },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  const tap = createTapReader();
  const errors = [];
  let hangs = "";
  let silence;
  const hear = () => {
    clearTimeout(silence);
    silence = setTimeout(() => {
      hangs = `hangs: nothing came for ${mostSilence / 1000} s in ${tap.open()}`;
      // tap answers with the test that waits, and what keeps it waiting.
      child.kill("SIGALRM");
      silence = setTimeout(() => killGroup(child, "SIGKILL"), LAST_WORDS);
    }, mostSilence);
  };
  hear();
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (hangs === "") hear();
    tap.read(line);
  });
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  const [code, signal] = await new Promise((resolve) => {
    child.once("exit", (...how) => {
      // A program that the area has left behind would keep its pipes open.
      killGroup(child, "SIGKILL");
      child.once("close", () => resolve(how));
    });
  });
  clearTimeout(silence);
  running.delete(child);
  const { passed, failed, skips, lines, isWhole } = tap.result();
  const isEmpty = passed + failed + skips.length === 0;
  const end = howEnded({ hangs, signal, code, isWhole, isEmpty });
  const isBroken = end !== "" && failed === 0;
  return {
    area,
    seconds: (Date.now() - begun) / 1000,
    passed,
    failed: failed + (isBroken ? 1 : 0),
    skips,
    lines: [...lines, ...(end === "" ? [] : [`${area} ${end}`]), ...errors],
  };
}

/** What was wrong with the end of an area, in words; "" when nothing was. */
function howEnded({ hangs, signal, code, isWhole, isEmpty }) {
  if (hangs !== "") return hangs;
  if (signal !== null) return `ended by ${signal}`;
  if (code !== 0) return `ended with ${code}`;
  if (!isWhole) return "ended before its tests did";
  return isEmpty ? "has no tests" : "";
}

/** Keeps failures with their diagnosis, and skips with their reason; the rest of the TAP is only counted. */
function createTapReader() {
  const lines = [];
  const skips = [];
  /** Subtests that have begun and not ended, with their depth. */
  const open = [];
  let total;
  let points = { passed: 0, failed: 0 };
  let wasFailure = false;
  let yaml = -1;

  const point = (line, text, depth) => {
    const isTodo = text.includes(" # TODO");
    const isOk = text.startsWith("ok ") || isTodo;
    while (open.length > 0 && open.at(-1).depth > depth) open.pop();
    const isEnd = open.at(-1)?.depth === depth;
    if (isEnd) open.pop();
    const [, skip] = text.split(" # SKIP");
    if (skip !== undefined) skips.push(`${nameOf(text.split(" # SKIP")[0])}: ${skip.trim()}`);
    else if (isTodo) skips.push(`${nameOf(text)}`);
    else if (!isEnd)
      points = isOk ? { ...points, passed: points.passed + 1 } : { ...points, failed: points.failed + 1 };
    if (!isOk) lines.push(line);
    wasFailure = !isOk;
  };

  const read = (line) => {
    const text = line.trimStart();
    const depth = line.length - text.length;
    if (yaml >= 0) {
      if (wasFailure) lines.push(line);
      if (text === "..." && depth === yaml) yaml = -1;
      return;
    }
    if (text === "---") {
      yaml = depth;
      if (wasFailure) lines.push(line);
    } else if (text.startsWith("# Subtest: ")) open.push({ depth, name: text.slice("# Subtest: ".length) });
    else if (text.startsWith("ok ") || text.startsWith("not ok ")) point(line, text, depth);
    else if (text.startsWith("Bail out!")) lines.push(line);
    else if (depth === 0 && text.startsWith("# { total: ")) total = text;
  };

  return {
    read,
    open: () => open.map(({ name }) => name).join(" > ") || "no test",
    result() {
      // A run that ended before its time has no line of totals.
      const passed = total === undefined ? points.passed : figure(total, "pass");
      const failed = total === undefined ? points.failed : figure(total, "fail");
      return { passed, failed, skips, lines, isWhole: total !== undefined };
    },
  };
}

/** "ok 3 - tshark" → "tshark". */
function nameOf(text) {
  const at = text.indexOf(" - ");
  return at < 0 ? text : text.slice(at + 3);
}

/** A figure of tap's last line, `# { total: 12, pass: 11, fail: 1 }`; 0 when it is not there. */
function figure(line, name) {
  const at = line.indexOf(`${name}: `);
  return at < 0 ? 0 : Number.parseInt(line.slice(at + name.length + 2), 10);
}
