// `sigwall run`: loads the configuration, starts the filter, and stops it on a signal.
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { formatEndpoint } from "../net/endpoint.ts";
import { type ConfigIssue, formatIssue, hasErrors } from "../config/yaml/issue.ts";
import { loadStatic } from "../config/load-static.ts";
import { loadAdminTls } from "../config/sigwall/admin-schema.ts";
import { loadTls } from "../config/sigwall/tls-files.ts";
import { findInheritedSockets, matchInherited } from "../wire/kernel/inherited-sockets.ts";
import { startAdminThread } from "../app/admin/admin-thread.ts";
import { type App, startApp } from "../app/app.ts";
import { describeFailure, readFromDisk } from "../app/read-file.ts";
import { findKey, obtainKey } from "../app/key-file.ts";
import { createListMemory } from "../app/lists/list-memory.ts";
import { snapshotKey, type SnapshotPlace } from "../app/lists/list-snapshot.ts";
import { keepCounts } from "../app/counts/count-snapshots.ts";
import { joinCluster } from "../app/cluster/open-cluster.ts";
import { openRecords } from "../app/records/open-records.ts";
import { startRecordSealing } from "../app/records/sealing.ts";
import { startStamping } from "../app/records/stamping.ts";
import { describeUnkept, keepPolicy } from "../records/policies/policy-keeping.ts";
import { policiesOf } from "../records/policies/policy-place.ts";
import { lastEpochIn } from "../records/lines/torn-lines.ts";
import { openStateFolder } from "../app/state-folder.ts";
import { findPlace } from "../config/sigwall/node-place.ts";
import { survivesLostTerminal } from "../app/threads/lost-terminal.ts";
import { say } from "../app/threads/unblocked-descriptor.ts";
import { endAtOnce } from "../wire/kernel/end-at-once.ts";
import { compareWithKept } from "../app/lists/custody-before.ts";
import { recordRefusedStart } from "../app/records/refused-start.ts";
import { custodyOf } from "../config/change/custody.ts";
import { version } from "./version.ts";
import { stampOnDisk, trackFiles } from "../app/tracked-files.ts";
import { redactText } from "../observe/redact.ts";
import { describeLinks, describeStart, startFields } from "./start-message.ts";
import { loadPolicy } from "../config/load-policy.ts";

const standardOutput = 1;
const standardError = 2;

/** How long the end waits for threads that were asked to end. Milliseconds. */
const longestEnd = 500;

/**
 * Default drain time in seconds: 64·T1, the longest life of a transaction that rings no more (RFC
 * 3261 section 17.1.1.2).
 */
const longestDrain = 32;

/**
 * Runs the filter until SIGTERM or SIGINT.
 * @returns resolves with the exit code: 0, or 1 when the filter could not start
 */
export async function runFilter(configPath: string): Promise<number> {
  let app: App | undefined;
  // First of all: without a handler the signal ends the process, and reading long lists takes seconds. What changes
  // meanwhile is noticed after the start.
  process.on("SIGHUP", () => void app?.reload("SIGHUP"));
  const files = trackFiles(readFromDisk, stampOnDisk);
  const { config, issues: staticIssues } = loadStatic(files.readFile, configPath);
  if (config === undefined) return refuse(staticIssues);
  const listeners = config.listen.map(({ id }) => id);
  const place = findPlace(config, configPath, { host: hostname(), environment: process.env });
  const listFolder = join(place.stateFolder, "lists");
  const memory = createListMemory({
    stamp: files.stamp,
    place: placeOfSnapshots(listFolder, findKey(config.keyFile)),
  });
  const loaded = loadPolicy(files.readFile, config.policy, listeners, config.engine, memory);
  const { policy, material, issues } = loaded;
  if (policy === undefined || material === undefined) return refuse([...staticIssues, ...issues]);
  const tls = config.tls === undefined ? undefined : loadTls(files.readFile, config.tls, Date.now());
  if (tls !== undefined && tls.material === undefined)
    return refuse([...staticIssues, ...issues, ...tls.issues]);
  const adminTls = loadAdminTls(files.readFile, config.adminAccess, Date.now());
  if (hasErrors(adminTls.issues)) return refuse([...staticIssues, ...issues, ...adminTls.issues]);
  const policyFolder = policiesOf(config);
  const taken = compareWithKept(policyFolder, place.node, material, Date.now());
  if (taken.issues.length > 0) {
    if (config.records !== undefined) await recordRefusedStart(config.records, place.node, taken.notes);
    return refuse([...staticIssues, ...issues, ...taken.issues]);
  }
  const inherited = findInheritedSockets(process.env, process.pid);
  if (typeof inherited === "string") return fail(inherited);
  const mismatch = matchInherited(inherited, config.listen);
  if (mismatch !== undefined) return fail(mismatch);
  const key = obtainKey(config.keyFile);
  if (typeof key === "string") return fail(key);

  const warnings = [...staticIssues, ...issues, ...(tls?.issues ?? []), ...adminTls.issues];
  if (process.stderr.isTTY) print(warnings);
  const { records: lines, evidence } = config;
  const recorded = lines === undefined ? -1 : lastEpochIn(lines.folder, place.node);
  const stateFolder = openStateFolder(place.stateFolder, Date.now(), recorded);
  survivesLostTerminal();
  const threads = followThreads();
  const timeZone = process.stderr.isTTY ? material.file.timeZone : undefined;
  const logTarget = { level: config.log.level, fd: standardError, timeZone };
  const adminThread = startAdminThread(logTarget);
  const { log } = adminThread;
  const records =
    lines === undefined && evidence === undefined
      ? undefined
      : openRecords({ records: lines, evidence }, { node: place.node, log });
  if (typeof records === "string") {
    stateFolder.close();
    await adminThread.close();
    return fail(records);
  }
  const cluster =
    config.redis === undefined
      ? undefined
      : await joinCluster({
          redis: config.redis,
          secret: key.bytes,
          node: place.node,
          epoch: stateFolder.epoch,
          log,
          records,
          fault: (error) => (app === undefined ? log.fault(error) : app.fault(error)),
        });
  if (typeof cluster === "string") {
    await records?.close();
    stateFolder.close();
    await adminThread.close();
    return fail(cluster);
  }
  const policies = policyFolder === undefined ? undefined : { folder: policyFolder, node: place.node };
  const surroundings = { engine: config.engine, listeners };
  const unkept = policies && keepPolicy(policies, material, surroundings, files.readAgain, Date.now());
  const noteUnkept = (revision: string, why: string): void => {
    const at = new Date().toISOString();
    records?.note({
      record: "gap",
      from: at,
      to: at,
      lost: 1,
      why: `policy ${revision} is not kept: ${why}`,
    });
  };
  if (unkept !== undefined) {
    log.error(describeUnkept(policy.revision, unkept));
    noteUnkept(policy.revision, unkept);
  }
  // Numbers that a message about a list quotes are masked. `check` shows them.
  if (!process.stderr.isTTY) for (const issue of warnings) log.warn(redactText(formatIssue(issue)));
  if (key.warning !== undefined && config.m3ua === undefined) log.warn(key.warning);
  if (place.warning !== undefined) log.warn(place.warning);
  const custody = { lists: custodyOf(material), notes: taken.notes };
  if (taken.unknown !== undefined && custody.lists.length > 0)
    log.info("what left police and shutdown lists since the last run is not known", { why: taken.unknown });
  // Signal handlers come first: a signal may arrive as soon as the filter says that it is up.
  // Calls go on. The log gets the stack, and the metrics count an internal error.
  process.on("unhandledRejection", (reason) => (app === undefined ? log.fault(reason) : app.fault(reason)));
  // The log writes the stack: Node itself would write it to a standard error that may stand still.
  process.on("uncaughtException", (error) => {
    log.fault(error);
    process.exit(1);
  });
  const seals = lines === undefined ? undefined : startRecordSealing(lines.folder, configPath, log);
  const stamping = evidence === undefined ? undefined : startStamping(evidence, place.node, log);
  const asked = stopSignal();
  try {
    app = await startApp({
      configPath,
      config,
      policy,
      tls: tls?.material,
      adminPair: adminTls.pair,
      files: files.stamps(),
      key: key.bytes,
      lists: {
        held: memory.held(),
        // Without a key file the next start has another key; a folder that is not ours is left alone.
        place:
          config.keyFile === undefined || stateFolder.why !== undefined
            ? undefined
            : placeOfSnapshots(listFolder, key.bytes),
      },
      node: place.node,
      version,
      stateFolder,
      records,
      ...(stateFolder.why === undefined
        ? {
            keepCounts: (state, inForce) =>
              keepCounts(stateFolder.path, lines && { folder: lines.folder, node: place.node }, {
                state,
                policy: inForce,
                log,
              }),
          }
        : {}),
      policies,
      share: cluster?.share,
      unkept: noteUnkept,
      custody,
      seals,
      adminThread,
      logTarget,
      inherited,
    });
  } catch (error) {
    seals?.close();
    await stamping?.close();
    // The last checkpoint of the evidence goes to the other nodes too.
    await records?.close();
    await cluster?.close();
    stateFolder.close();
    await adminThread.close();
    const adminPlaces = [config.admin, ...config.adminAccess.more].map(formatEndpoint);
    const adminPlace = `admin ${adminPlaces.join(", ")}`;
    const wanted =
      config.engine !== "drachtio"
        ? `listen on ${[...listeners, ...describeLinks(config), adminPlace].join(", ")}`
        : `start engine ${config.engine} and ${adminPlace}`;
    return fail(`can't ${wanted}: ${describeFailure(error)}`);
  }
  // Outside a terminal there is the log, and nothing else.
  if (process.stdout.isTTY) say(standardOutput, describeStart(app, policy, configPath));
  else log.info("sigwall is up", startFields(app, policy));
  const signal = await asked;
  const drainSeconds = config.drainSeconds ?? (inherited.length > 0 ? 0 : longestDrain);
  log.info("stopping: new calls are refused, calls in progress go on", { signal, drainSeconds });
  if (drainSeconds > 0) await app.drain(drainSeconds * 1000);
  seals?.close();
  await stamping?.close();
  await app.stop();
  // The last checkpoint of the evidence goes to the other nodes too.
  await records?.close();
  await cluster?.close();
  stateFolder.close();
  await adminThread.close();
  await threads.ended(0);
  return 0;
}

function placeOfSnapshots(folder: string, key: Uint8Array | undefined): SnapshotPlace | undefined {
  return key === undefined ? undefined : { folder, key: snapshotKey(key), maker: version };
}

/** The threads of the process. */
interface Threads {
  /** Resolves when all of them have ended. Ends the process with `code` when one hangs: nothing else would end it. */
  readonly ended: (code: number) => Promise<void>;
}

function followThreads(): Threads {
  const threads = new Set<Worker>();
  process.on("worker", (thread) => {
    threads.add(thread);
    thread.once("exit", () => threads.delete(thread));
  });
  return {
    async ended(code) {
      const hangs = Symbol("hangs");
      const all = Promise.all([...threads].map((thread) => new Promise((end) => thread.once("exit", end))));
      const first = await Promise.race([all, pause(longestEnd, hangs)]);
      if (first === hangs) await endAtOnce(code);
    },
  };
}

/** Resolves with the name of the first stop signal. A second signal ends the process at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    const stop = (signal: string): void => {
      process.off("SIGTERM", stop);
      process.off("SIGINT", stop);
      resolve(signal);
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}

function refuse(issues: readonly ConfigIssue[]): number {
  print(issues);
  return 1;
}

function fail(message: string): number {
  say(standardError, `sigwall run: ${message}\n`);
  return 1;
}

function print(issues: readonly ConfigIssue[]): void {
  say(standardError, issues.map((issue) => `${formatIssue(issue)}\n`).join(""));
}
