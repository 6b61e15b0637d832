import t, { type Test } from "tap";
import { Buffer } from "node:buffer";
import { createReloader, type ReloadOutcome } from "../../src/app/reload.ts";
import { readRehearsal, type ReloadRehearsal } from "../../src/app/children/reload-rehearsal.ts";
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
  const outcomes = await Promise.all(["a", "b", "c"].map((cause) => reloader.request(cause)));
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

/** A reloader with a bound, files to edit, and a rehearsal that the test writes. */
function openBounded(
  t: Test,
  rehearse: (files: ReturnType<typeof openFiles>, tried: number) => ReloadRehearsal | string,
  maxChanges?: number,
): {
  readonly files: ReturnType<typeof openFiles>;
  readonly reloader: ReturnType<typeof createReloader>;
  readonly revision: () => string;
  readonly kept: readonly (string | undefined)[];
  readonly isStale: () => boolean;
  readonly tried: () => number;
} {
  const files = openFiles();
  const read = files.track();
  const { config } = loadStatic(read.readFile, "sigwall.yaml");
  const { policy: first } = loadPolicy(read.readFile, "policy.yaml");
  if (config === undefined || first === undefined) throw new Error("the test's own configuration is wrong");
  let current = first;
  let stamps: FileStamps | undefined;
  let tried = 0;
  const kept: (string | undefined)[] = [];
  const reloader = createReloader({
    configPath: "sigwall.yaml",
    running: config,
    keep: { folder: "nowhere", node: "gw-a" },
    read: ({ keep, ...request }) => {
      if (keep !== undefined) kept.push(request.keepOnly);
      return Promise.resolve(readForReload(files.track(), request));
    },
    current: () => current,
    swap: (policy) => (current = policy),
    done: (_outcome, _causes, found) => (stamps = found),
    unwatched: (step) => step(),
    fault: (error) => t.fail(String(error)),
    maxChanges,
    rehearse: () => Promise.resolve(rehearse(files, ++tried)),
  });
  return {
    files,
    reloader,
    kept,
    revision: () => current.revision,
    isStale: () => stamps === undefined || areStale(stamps, files.stampOf),
    tried: () => tried,
  };
}

const revisionIn = (files: ReturnType<typeof openFiles>): string =>
  loadPolicy(files.track().readFile, "policy.yaml").policy?.revision ?? "";
const found = (revision: string, changed: number): ReloadRehearsal => ({
  revision,
  attempts: 100,
  changed,
  changes: [{ count: changed }],
  unjudged: [],
  unheld: [],
});
const edited = (to: string): string => policyText.replace("192.0.2.1", to);

void t.test("reloader: a bound lets in what stays within it, and refuses one change more", async (t) => {
  const stage = openBounded(t, (files) => found(revisionIn(files), 5));
  const before = stage.revision();
  stage.files.contents.set("policy.yaml", edited("192.0.2.2"));
  const refused = await stage.reloader.request("a", { maxChanges: 4 });
  t.match(refused, {
    result: "refused",
    revision: before,
    previous: before,
    issues: [{ message: "5 of 100 recorded verdicts would change, more than 4; nothing was reloaded" }],
    rehearsal: { changed: 5, maxChanges: 4, changes: [{ count: 5 }] },
  });
  t.equal(stage.revision(), before, "the policy before it stays in force");
  t.same(stage.kept, [], "a policy that was refused is not kept as one that was in force");
  t.equal(stage.isStale(), false, "it is not tried again by itself");
  const taken = await stage.reloader.request("b", { maxChanges: 5 });
  t.match(taken, { result: "ok", rehearsal: { changed: 5, maxChanges: 5 } });
  t.not(stage.revision(), before);
  t.same(stage.kept, [stage.revision()]);
  t.equal(stage.tried(), 2);
  t.notOk("rehearsal" in (await stage.reloader.request("c", { maxChanges: 0 })), "nothing new: no rehearsal");
  t.equal(stage.tried(), 2);
});

void t.test(
  "reloader: the bound of the configuration holds for all; that of a request goes before it",
  async (t) => {
    const stage = openBounded(t, (files) => found(revisionIn(files), 5), 4);
    stage.files.contents.set("policy.yaml", edited("192.0.2.2"));
    const [byFile, bySignal, meant] = await Promise.all([
      stage.reloader.request("file change"),
      stage.reloader.request("SIGHUP"),
      stage.reloader.request("POST /reload", { maxChanges: 5 }),
    ]);
    t.equal(byFile.result, "refused");
    t.equal(byFile, bySignal, "requests with one bound share a reload");
    t.equal(meant.result, "ok");
  },
);

void t.test("reloader: files with errors fail as ever; what can't be rehearsed is refused", async (t) => {
  const stage = openBounded(t, () => "it took more than 300 s and was ended", 4);
  stage.files.contents.set("policy.yaml", "version: 2\n");
  t.equal((await stage.reloader.request("a")).result, "failed");
  t.equal(stage.tried(), 0);
  stage.files.contents.set("policy.yaml", edited("192.0.2.2"));
  t.match(await stage.reloader.request("a"), {
    result: "refused",
    issues: [
      {
        message: "the reload can't be rehearsed: it took more than 300 s and was ended; nothing was reloaded",
      },
    ],
  });
});

void t.test("reloader: what comes into force is what was rehearsed", async (t) => {
  const stage = openBounded(t, (files, tried) => {
    const revision = revisionIn(files);
    // The file changes when it has been rehearsed.
    if (tried === 1) files.contents.set("policy.yaml", edited("192.0.2.3"));
    return found(revision, tried === 1 ? 0 : 9);
  });
  const before = stage.revision();
  stage.files.contents.set("policy.yaml", edited("192.0.2.2"));
  t.match(await stage.reloader.request("a", { maxChanges: 4 }), {
    result: "refused",
    rehearsal: { changed: 9 },
  });
  t.equal(stage.revision(), before);
  t.equal(stage.tried(), 2);

  const restless = openBounded(t, (files, tried) => {
    files.contents.set("policy.yaml", edited(`192.0.2.${tried + 10}`));
    return found(revisionIn(files), 0);
  });
  restless.files.contents.set("policy.yaml", edited("192.0.2.2"));
  t.match(await restless.reloader.request("a", { maxChanges: 4 }), {
    result: "refused",
    issues: [{ message: /changed again and again/u }],
  });
  t.equal(restless.tried(), 3);
  t.equal(restless.isStale(), true, "the last change is noticed");
});

void t.test("reloader: a rehearsal is read, and nothing else", (t) => {
  const text = JSON.stringify({ ...found("abc", 25), changes: Array.from({ length: 25 }, () => ({})) });
  t.equal(readRehearsal(text)?.changes.length, 20);
  for (const wrong of [
    "",
    "null",
    "[]",
    "{}",
    '{"revision":1}',
    text.replace("changed", "change"),
    text.slice(1),
  ])
    t.equal(readRehearsal(wrong), undefined, wrong.slice(0, 20));
  t.end();
});
