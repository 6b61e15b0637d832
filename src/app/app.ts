// The running filter: wires the engine, the admin thread, reloads and the state folder together.
import type { CallEvent } from "../domain/call.ts";
import type { Millis } from "../domain/time.ts";
import type { StaticConfig } from "../config/load-static.ts";
import type { Sharing } from "../cluster/sharing.ts";
import type { Policy, TrunkPolicy } from "../policy/policy.ts";
import type { AdminPair } from "../config/sigwall/admin-schema.ts";
import type { TlsMaterial } from "../config/sigwall/tls-files.ts";
import { chooseDatagramSockets, type DatagramSockets } from "../wire/udp/datagram-sockets.ts";
import { type HepExport, openHepExport } from "../records/hep/hep-export.ts";
import { announceDecision, type Counters, createCounters } from "../observe/counters.ts";
import type { Listen } from "../judging/tell.ts";
import { letAnswersLeave } from "../engines/last-answers.ts";
import { createEngine } from "./engine-choice.ts";
import { possibleDecisions } from "../screening/chain/possible-decisions.ts";
import { limitsInUse } from "../screening/limits/limit-use.ts";
import { createCallBackListener } from "../screening/rules/call-back-events.ts";
import { createScreeningListener } from "../screening/limits/call-events.ts";
import { engineNow } from "../wire/kernel/clock.ts";
import { createScreeningState, type ScreeningState } from "../screening/state.ts";
import type { Admin } from "./admin/admin-answers.ts";
import { callsOn, recordsFigures, standingOf } from "./admin/shown-figures.ts";
import type { AdminThread } from "./admin/admin-thread.ts";
import { createCertificateExpiry } from "./certificate-expiry.ts";
import { createCallSnapshots } from "./call-snapshots.ts";
import type { HourlySeal } from "./hourly-seal.ts";
import { describeUnkept, type PolicyPlace } from "../records/policies/policy-keeping.ts";
import type { HeldLists } from "./lists/held-lists.ts";
import { openCustody, type StartCustody } from "./lists/custody-notes.ts";
import { createListKeeper } from "./lists/list-keeper.ts";
import type { SnapshotPlace } from "./lists/list-snapshot.ts";
import { createDetection } from "./detection.ts";
import { createPolicyThread } from "./policy-thread.ts";
import { createRehearser } from "./children/reload-rehearsal.ts";
import { createReports } from "./log-reports.ts";
import { createReloader, type ReloadOutcome } from "./reload.ts";
import { describeForgotten, type StateFolder } from "./state-folder.ts";
import { noteInLog, openLines } from "./lines/open-lines.ts";
import type { OrderNote } from "./lines/lines-document.ts";
import type { FileStamps } from "./tracked-files.ts";
import { startFileWatch } from "./file-watch.ts";
import { createWatchSwitch } from "./threads/call-thread-turns.ts";
import type { LogTarget } from "./admin/admin-messages.ts";
import type { Records, TrunkFacts } from "../records/lines/recording.ts";
import { startWatchdog } from "./watchdog.ts";
import type { InheritedSocket } from "../wire/kernel/inherited-sockets.ts";

export interface AppParts {
  readonly configPath: string;
  readonly config: StaticConfig;
  readonly policy: Policy;
  /** Certificates of the tls listeners; undefined when there is no such listener. */
  readonly tls: TlsMaterial | undefined;
  /** Certificate of the admin address; undefined: it speaks HTTP. */
  readonly adminPair: AdminPair | undefined;
  /** The files that `config`, `policy` and `tls` were read from, as they were then. */
  readonly files: FileStamps;
  readonly key: Uint8Array;
  /** The lists of the policy, as they were read, and where their snapshots go; undefined: no snapshots are made. */
  readonly lists: { readonly held: HeldLists; readonly place: SnapshotPlace | undefined };
  /** The name of this filter among the nodes. */
  readonly node: string;
  /** Version of the program. */
  readonly version: string;
  /** The state folder. Its owner closes it after {@link App.stop}. */
  readonly stateFolder: StateFolder;
  /** The records of calls; undefined: no call is remembered. Their owner closes them after {@link App.stop}. */
  readonly records?: Records | undefined;
  /** The thread that serves the admin address and writes the log. */
  readonly adminThread: AdminThread;
  /** Where the watchdog writes its last line. */
  readonly logTarget: LogTarget;
  /** Sockets that the service manager passed to the process. */
  readonly inherited: readonly InheritedSocket[];
  /** Where policies are kept before they come into force. Left out: nowhere. */
  readonly policies?: PolicyPlace | undefined;
  /** The hourly sealing of the records; undefined: there is none. */
  readonly seals?: Pick<HourlySeal, "counts"> | undefined;
  /** Restores the counts of limits, and keeps them from then on. Left out: they begin anew at each start. */
  readonly keepCounts?: (
    state: ScreeningState,
    policy: Policy,
  ) => { readonly countedUntil?: Millis; close(): Promise<void> };
  /** Begins to share with other nodes. Left out: this node shares nothing. */
  readonly share?: ((policy: Policy) => Sharing) | undefined;
  /** Left out: what was in custody is not known. */
  readonly custody?: StartCustody;
  /** Told when a policy could not be kept, before it comes into force: a gap for the records. The log has it already. */
  readonly unkept?: (revision: string, why: string) => void;
}

/** The running filter. */
export interface App {
  /** The listeners: `udp:127.0.0.1:5060`. */
  readonly listening: readonly string[];
  /** How SIP over UDP is received and sent; "none": not by sockets of ours. */
  readonly sockets: DatagramSockets["kind"] | "none";
  /** `http://127.0.0.1:9464`. */
  readonly admin: string;
  readonly reload: (cause: string) => Promise<ReloadOutcome>;
  /** Takes no new calls. Resolves when nothing is in progress, or after `most` milliseconds. */
  readonly drain: (most: Millis) => Promise<void>;
  /** Takes an error of the filter that no other code has caught. */
  readonly fault: (error: unknown) => void;
  readonly stop: () => Promise<void>;
}

/** Wires the parts together and starts them. Rejects when an address can't be bound; nothing is left open then. */
export async function startApp({
  configPath,
  config,
  policy: first,
  tls,
  adminPair,
  files,
  key,
  lists: firstLists,
  node,
  version,
  stateFolder,
  records,
  adminThread,
  logTarget,
  inherited,
  policies,
  unkept,
  seals,
  keepCounts,
  custody,
  share,
}: AppParts): Promise<App> {
  const { log } = adminThread;
  // Chosen before any part with a timer is made: a timer that runs during the wait would use variables that come later.
  const sockets = await chooseDatagramSockets(config.sockets);
  const kindOfSockets = config.engine === "embedded" ? sockets.kind : "none";
  let policy = first;
  const counters = createCounters();
  for (const trunk of policy.trunks) announceTrunk(counters, trunk);
  const state = createScreeningState(first.tables);
  if (records !== undefined) state.recording.isFull = records.isFull;
  const counts = keepCounts?.(state, policy);
  const sharing = share?.(policy);
  records?.know(factsOf(policy));
  records?.note({ record: "policy", revision: policy.revision, cause: "start" });
  const reloads = { ok: 0, failed: 0, refused: 0 };
  const reports = createReports({
    log,
    refusalsPerSecond: config.log.refusalsPerSecond,
    state,
    counters,
    stage: () => engine.health()?.stage ?? 0,
  });
  if (sockets.missing !== undefined && config.engine === "embedded")
    log[config.sockets === "auto" ? "info" : "warn"]("UDP on node:dgram, which costs more by datagram", {
      why: sockets.missing,
    });
  if (stateFolder.why !== undefined) log.error(describeForgotten(stateFolder.path, stateFolder.why));
  const snapshots = stateFolder.why === undefined ? createCallSnapshots(stateFolder.path, log) : undefined;
  let hep: HepExport | undefined;
  const note = (line: OrderNote): void => {
    noteInLog(log, line);
    records?.note(line);
  };
  const detection = createDetection({
    policy: () => policy,
    state,
    log,
    note: (line) => records?.note(line),
    folder: stateFolder,
    node: sharing === undefined ? undefined : node,
    fault: (error) => fault(error),
  });
  const lines = openLines({
    folder: stateFolder,
    node,
    commanded: state.lineOrders,
    policy: () => policy,
    note,
    release: (trunks) => engine.release(trunks),
    callsOn: (trunk) => callsOn(engine.calls(), trunk),
    log,
    fault: (error) => fault(error),
  });
  state.lines.isStopped = lines.areCallsReleased;
  const overTime = [
    createScreeningListener(state, first.tables.calls),
    createCallBackListener(state, () => policy.marketing),
  ];
  const naming = { node, epoch: stateFolder.epoch };
  const sharedCalls = sharing?.calls({
    naming,
    state,
    heard: joinListeners([...overTime, detection.heard]),
    countedUntil: counts?.countedUntil ?? 0,
  });
  const fault = (error: unknown): void => {
    counters.faults++;
    reports.fault(error);
  };
  const engine = createEngine(config, {
    listen: config.listen,
    ownNames: config.ownNames,
    tls,
    streams: config.streams,
    openPort: sockets.open,
    inherited,
    policy: () => policy,
    state,
    counters,
    key,
    naming,
    sharing: sharedCalls,
    evidence: records?.evidence,
    ...(snapshots === undefined ? {} : { remembers: snapshots.remember }),
    happened: joinListeners([
      ...overTime,
      detection.happened,
      reports.happened,
      ...(config.hep === undefined ? [] : [(event: CallEvent) => hep?.push(event)]),
      ...(records === undefined ? [] : [records.happened]),
      ...(sharing === undefined ? [] : [sharing.happened]),
    ]),
    fault: reports.fault,
    warn: (message) => log.warn(message),
    info: (message) => log.info(message),
    ...(config.nameServers === undefined ? {} : { nameServers: config.nameServers }),
    nextHopChanged: reports.nextHopChanged,
    nameChanged: reports.nameChanged,
    linkChanged: reports.linkChanged,
    unjudged: reports.unjudged,
    tlsRefused: reports.tlsRefused,
  });
  records?.onDurable(() => engine.evidenceKept());
  sharing?.orders({ lines: lines.shared, ...detection.shared });
  const expiry = createCertificateExpiry(config.listen, tls, adminPair);
  const watched = createWatchSwitch(adminThread.turns);
  const policyThread = createPolicyThread();
  const listKeeper = createListKeeper({
    ...firstLists,
    settle: policyThread.settle,
    reload: (cause) => void reloader.request(cause),
    log,
  });
  const rehearser = createRehearser(configPath);
  const reloader = createReloader({
    configPath,
    running: config,
    maxChanges: config.reload.maxChanges,
    rehearse: rehearser.rehearse,
    read: policyThread.read,
    current: () => policy,
    swap: (next, certificates) => {
      // The step that may throw comes first: half a change must never be in force.
      if (certificates !== undefined) {
        engine.renewTls(certificates);
        expiry.renew(certificates);
      }
      policy = next;
      lines.policyChanged();
      detection.policyChanged();
      sharing?.policyChanged(policy);
      records?.know(factsOf(policy));
    },
    done: (outcome, causes, stamps) => {
      reloads[outcome.result]++;
      const { result, revision, previous } = outcome;
      if (result === "ok" && revision !== previous)
        records?.note({ record: "policy", revision, previous, cause: [...new Set(causes)].join(", ") });
      reports.reloaded(outcome, causes);
      watch.follow(stamps);
    },
    compiled: (trunk) => announceTrunk(counters, trunk),
    unwatched: watched.unwatched,
    held: listKeeper.held,
    took: listKeeper.take,
    ...openCustody(log, records, custody),
    keep: policies,
    unkept: (revision, why) => {
      log.error(describeUnkept(revision, why));
      unkept?.(revision, why);
    },
    fault,
  });
  const watch = startFileWatch(files, {
    changed: () => {
      if (config.reload.watch && !reloader.isReading()) void reloader.request("file change");
    },
    failed: (place, why) => log.warn(`can't watch ${place}: ${why}; reload with SIGHUP after a change there`),
  });
  const watching = { turns: adminThread.turns, log: logTarget };
  const watchdog = startWatchdog(config.watchdogSeconds, watching, fault);

  async function open(): Promise<readonly [listening: readonly string[], admin: Admin]> {
    if (config.hep !== undefined) hep = await openHepExport(config.hep, sockets.open, reports.fault);
    const listening = await engine.start();
    lines.begin();
    listKeeper.begin();
    const admin = await adminThread.open({
      endpoint: config.admin,
      access: { ...config.adminAccess, pair: adminPair, socket: lines.socket(config.adminAccess) },
      figures: {
        counters,
        reloads,
        sockets: kindOfSockets,
        policy: () => policy,
        nextHops: () => engine.nextHops(),
        names: () => engine.names(),
        health: () => engine.health(),
        hep: () => hep?.figures(),
        records: () => recordsFigures(records, engine.unkept()),
        seals: () => seals?.counts(),
        links: () => engine.links?.() ?? [],
        calls: () => standingOf(engine.calls(), policy),
        lines: lines.states,
        areLinesKept: lines.areKept,
        build: { version, node },
        certificates: expiry.figures,
        detection: detection.figures,
        quarantine: detection.quarantined,
        cluster: () => sharing?.figures(),
        listsDiffering: listKeeper.differing,
        stateFolder: () => snapshots?.figures() ?? { isOk: false, written: 0, failed: 0 },
        limits: () => limitsInUse(policy.trunks, state, engineNow() + state.wall.ahead),
        tableFull: state.tableFull,
        ruleFaults: state.ruleFaults,
      },
      isReady: () => sharing?.readiness(engine.isReady()) ?? engine.isReady(),
      reload: (wish) => reloader.request("POST /reload", wish),
      line: lines.order,
      quarantine: { order: detection.order, list: detection.list },
      fault,
    });
    return [listening, admin];
  }
  const [listening, admin] = await open().catch(async (error: unknown) => {
    watch.close();
    void watchdog?.close();
    await engine.stop();
    await lines.close();
    await detection.close();
    await snapshots?.close();
    await hep?.close();
    reports.close();
    throw error;
  });
  watched.arm();
  return {
    listening,
    sockets: kindOfSockets,
    admin: `${adminPair === undefined ? "http" : "https"}://${admin.address}`,
    reload: reloader.request,
    drain(most) {
      watched.disarm();
      const drained = engine.drain(most);
      admin.noteReadiness();
      return drained;
    },
    fault,
    async stop() {
      watched.disarm();
      void watchdog?.close();
      watch.close();
      reloader.close();
      rehearser.close();
      policyThread.close();
      await letAnswersLeave(engine);
      await Promise.all([engine.stop(), admin.close()]);
      await lines.close();
      await detection.close();
      await snapshots?.close();
      await counts?.close();
      await hep?.close();
      reports.close();
    },
  };
}

/** Hands each event to all of them, in this order. */
function joinListeners(listeners: readonly Listen[]): Listen {
  return (event) => {
    for (const listen of listeners) listen(event);
  };
}

/** What the records must know of the trunks of a policy. */
function factsOf({ trunks }: Policy): readonly TrunkFacts[] {
  return trunks.map(({ trunk: { id, lessee, longestCall, evidence } }) => ({
    id,
    lessee,
    longestCall,
    evidence,
  }));
}

/** Makes the series of a trunk exist before its first call. */
function announceTrunk(counters: Counters, { trunk, screen }: TrunkPolicy): void {
  for (const decision of possibleDecisions(screen)) announceDecision(counters, trunk.id, decision);
}
