import t from "tap";
import { Buffer } from "node:buffer";
import { createReloader, type ReloadOutcome } from "../../src/app/reload.ts";
import { readForReload } from "../../src/app/policy-reading.ts";
import { areStale, type FileStamps, type TrackedFiles, trackFiles } from "../../src/app/tracked-files.ts";
import { loadStatic } from "../../src/config/load-static.ts";
import type { Policy } from "../../src/policy/policy.ts";
import type { ReadFile } from "../../src/config/yaml/config-files.ts";
import { loadPolicy } from "../../src/config/load-policy.ts";

const policyText = `version: 1
trunks:
  - { id: core, side: core, match: { addresses: [192.0.2.1] } }
`;

function openFiles(): {
  readonly contents: Map<string, string>;
  readonly track: () => TrackedFiles;
  readonly stampOf: (path: string) => string;
} {
  const contents = new Map([
    ["sigwall.yaml", "listen: [udp:127.0.0.1:0]\npolicy: policy.yaml\n"],
    ["policy.yaml", policyText],
  ]);
  const readFile: ReadFile = (path) => {
    const text = contents.get(path);
    return text === undefined ? { error: "no such file" } : { bytes: Buffer.from(text) };
  };
  const stampOf = (path: string): string => contents.get(path) ?? "none";
  return { contents, track: () => trackFiles(readFile, stampOf), stampOf };
}

void t.test("reloader: requests that overlap share one reload, a later one gets its own", async (t) => {
  const { contents, track, stampOf } = openFiles();
  const files = track();
  const { config } = loadStatic(files.readFile, "sigwall.yaml");
  const { policy: first } = loadPolicy(files.readFile, "policy.yaml");
  if (config === undefined || first === undefined) throw new Error("the test's own configuration is wrong");
  let current = first;
  const done: (readonly [outcome: ReloadOutcome, causes: readonly string[]])[] = [];
  const swapped: Policy[] = [];
  let stamps: FileStamps | undefined = files.stamps();
  const isStale = (): boolean => stamps === undefined || areStale(stamps, stampOf);
  const reloader = createReloader({
    configPath: "sigwall.yaml",
    running: config,
    read: (request) => Promise.resolve(readForReload(track(), request)),
    current: () => current,
    swap: (policy) => {
      current = policy;
      swapped.push(policy);
    },
    done: (outcome, causes, read) => {
      done.push([outcome, [...causes]]);
      stamps = read;
    },
    unwatched: (step) => step(),
    fault: (error) => t.fail(String(error)),
  });
  t.equal(isStale(), false, "nothing has changed since the start");

  contents.set("policy.yaml", policyText.replace("192.0.2.1", "192.0.2.2"));
  t.equal(isStale(), true);
  const outcomes = await Promise.all(["a", "b", "c"].map(reloader.request));
  t.equal(done.length, 1, "one reload");
  t.same(done[0]?.[1], ["a", "b", "c"]);
  t.equal(new Set(outcomes).size, 1, "one outcome for all");
  t.equal(isStale(), false);

  await reloader.request("d");
  t.equal(done.length, 2, "one more");
  t.equal(swapped.length, 2);

  contents.delete("policy.yaml");
  const failed = await reloader.request("e");
  t.equal(failed.result, "failed");
  t.equal(swapped.length, 2, "nothing was swapped");
  t.equal(isStale(), false, "a failure that was told is not told again");
  contents.set("policy.yaml", policyText);
  t.equal(isStale(), true, "a missing file that comes back is seen");
});

void t.test("reloader: an error of our own keeps the policy and is told", async (t) => {
  const { contents, track } = openFiles();
  const files = track();
  const { config } = loadStatic(files.readFile, "sigwall.yaml");
  const { policy } = loadPolicy(files.readFile, "policy.yaml");
  if (config === undefined || policy === undefined) throw new Error("the test's own configuration is wrong");
  const faults: unknown[] = [];
  const thrown = new Error("unforeseen");
  const told: (FileStamps | undefined)[] = [];
  const reloader = createReloader({
    configPath: "sigwall.yaml",
    running: config,
    read: () => Promise.reject(thrown),
    current: () => policy,
    swap: () => t.fail("nothing to swap"),
    done: (_outcome, _causes, read) => told.push(read),
    unwatched: (step) => step(),
    fault: (error) => faults.push(error),
  });
  contents.set("policy.yaml", "version: 2\n");
  t.equal((await reloader.request("a")).result, "failed");
  t.same(faults, [thrown]);
  t.same(
    told,
    [undefined],
    "the present state of the files counts as read: what failed is not tried again by itself",
  );
});
