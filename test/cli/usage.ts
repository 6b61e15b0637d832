import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import t from "tap";
import { version } from "../../src/cli/version.ts";
import { program, runCommand } from "./filter-process.ts";

interface Row {
  readonly args: readonly string[];
  readonly code: number;
  /** What standard output and standard error contain; an empty string: nothing at all. */
  readonly stdout: string;
  readonly stderr: string;
}

const rows: readonly Row[] = [
  { args: ["--version"], code: 0, stdout: `${version}\n`, stderr: "" },
  { args: ["--help"], code: 0, stdout: "explain", stderr: "" },
  { args: ["replay", "--help"], code: 0, stdout: "--trunk", stderr: "" },
  { args: [], code: 2, stdout: "", stderr: "Usage: sigwall" },
  { args: ["chek"], code: 2, stdout: "", stderr: "Did you mean check?" },
  { args: ["check", "--confg", "x"], code: 2, stdout: "", stderr: "Did you mean --config?" },
  { args: ["check", "--config"], code: 2, stdout: "", stderr: "argument missing" },
  { args: ["check", "surplus"], code: 2, stdout: "", stderr: "too many arguments" },
  { args: ["inspect"], code: 2, stdout: "", stderr: "missing required argument" },
  { args: ["replay"], code: 2, stdout: "", stderr: "missing required argument" },
  { args: ["explain"], code: 2, stdout: "", stderr: "--trunk" },
  {
    args: ["explain", "--trunk", "bj-lease-01", "--config", "test/config/shipped/sigwall.yaml"],
    code: 2,
    stdout: "",
    stderr: "--from",
  },
  {
    args: ["run", "--config", "no-such.yaml"],
    code: 1,
    stdout: "",
    stderr: "no-such.yaml:1:1: can't be read: no such file",
  },
  { args: ["inspect", "package.json"], code: 1, stdout: "", stderr: "package.json" },
];

void t.test("command line: exit codes, and words on the stream where they belong", async (t) => {
  for (const { args, code, stdout, stderr } of rows) {
    const name = `sigwall ${args.join(" ")}`;
    const finished = await runCommand(args);
    t.equal(finished.code, code, `${name}: exit code`);
    if (stdout === "") t.equal(finished.stdout, "", `${name}: standard output is silent`);
    else t.match(finished.stdout, stdout, `${name}: standard output`);
    if (stderr === "") t.equal(finished.stderr, "", `${name}: standard error is silent`);
    else t.match(finished.stderr, stderr, `${name}: standard error`);
  }
});

void t.test("command line: a standard output that is full is told in one line", async (t) => {
  const full = openSync("/dev/full", "w");
  for (const args of [
    ["inspect", "pcaps/caller-form.pcap"],
    ["check", "--config", "test/config/shipped/sigwall.yaml"],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], {
      stdio: ["ignore", full, "pipe"],
      encoding: "utf8",
    });
    t.equal(status, 1, args.join(" "));
    t.match(
      stderr,
      /^sigwall: can't write to standard output: no space left on the device$/mu,
      args.join(" "),
    );
    t.notMatch(stderr, /at writeSync/u);
  }
  closeSync(full);
});

void t.test("the version is that of the package, and the program can be executed", async (t) => {
  const description: unknown = JSON.parse(readFileSync("package.json", "utf8"));
  t.match(description, { version });
  t.ok(readFileSync(program, "utf8").startsWith("#!/usr/bin/env node\n"));
});
