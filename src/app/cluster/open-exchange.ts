// The exchange in the call thread: hands over what others must know, counts what finds no room, and runs the thread that tells it.
import { randomBytes } from "node:crypto";
import { isMainThread, workerData } from "node:worker_threads";
import {
  type Exchange,
  type ExchangeListener,
  type KeptKind,
  MOST_BATCH,
  MOST_KEPT,
  MOST_KEPT_ENTRIES,
} from "../../cluster/exchange.ts";
import { type ExchangeFigures, noFigures } from "../../observe/cluster/cluster-figures.ts";
import type { RedisConfig } from "../../config/sigwall/redis-schema.ts";
import type { Millis } from "../../domain/time.ts";
import type { Log } from "../../observe/log.ts";
import { wallNow } from "../../wire/kernel/clock.ts";
import {
  CLUSTER_CELLS,
  type ClusterThreadData,
  type FromCluster,
  HEARD,
  HEARD_SIZE,
  type Outgoing,
  sharedNow,
  sizeOf,
  TAKEN,
  type ToCluster,
} from "./cluster-messages.ts";
import { startStandingThread } from "../threads/standing-thread.ts";

export interface ExchangeParts {
  readonly redis: RedisConfig;
  /** The octets of the key file. */
  readonly secret: Uint8Array;
  readonly node: string;
  readonly epoch: number;
  readonly log: Log;
  /** Takes an error of a listener. */
  readonly fault: (error: unknown) => void;
  /** Added to the wall clock. Left out: 0. Milliseconds. */
  readonly wallAhead?: Millis;
}

/** The exchange of a process. */
export interface OpenExchange extends Exchange {
  /** From now on `listener` hears the other nodes. What came before waits until then. At most once. */
  readonly listen: (listener: ExchangeListener) => void;
  /**
   * Waits until it is known whether another process of this node is alive.
   *
   * @returns resolves with true when one is, with false when there is none; with undefined when it is not known after `most`
   * milliseconds
   */
  readonly hasTwin: (most: Millis) => Promise<boolean | undefined>;
}

/** Batches and entries on their way to the thread: how many, and how many octets. */
const MOST_UNDERWAY = 4096;
const MOST_UNDERWAY_OCTETS: number = 32 * 2 ** 20;
/** Octets that wait for the first listener; beyond, the thread waits too. */
const MOST_EARLY: number = 64 * 2 ** 20;
/** What a message takes beside its octets, about. */
const EARLY_MESSAGE = 256;
/** Longest time that the end waits for the last entries. Milliseconds. */
const MOST_FAREWELL: Millis = 2000;

interface OwnKept {
  readonly kind: KeptKind;
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly wall: Millis;
}

/** Starts the thread. A thread that ends by itself is started again; calls go on meanwhile. */
export function openExchange(parts: ExchangeParts): OpenExchange {
  const { redis, secret, node, epoch, log } = parts;
  const wallAhead = parts.wallAhead ?? 0;
  const instance = randomBytes(8).toString("hex");
  const cells = new Int32Array(new SharedArrayBuffer(CLUSTER_CELLS * Int32Array.BYTES_PER_ELEMENT));
  const kept = new Map<string, OwnKept>();
  /** What could not be told yet. */
  const unsent = new Map<string, { readonly kind: KeptKind; readonly subject: string }>();
  const begun = createGate<boolean>();
  const heard = createGate<void>();
  /** Octets of the messages that the thread has not taken yet, in their order. */
  let underway: number[] = [];
  let underwayOctets = 0;
  let taken = 0;
  let lost = 0;
  let sequence = 0;
  let known: Extract<ToCluster, { readonly kind: "know" }> | undefined;
  let figures: ExchangeFigures = noFigures;
  let listener: ExchangeListener | undefined;
  /** What came before anybody listened. What is counted makes room for more. */
  let early: { readonly message: FromCluster; readonly isCounted: boolean }[] = [];
  let earlyOctets = 0;

  function forgetTaken(): void {
    const now = Atomics.load(cells, TAKEN);
    const count = (now - taken) | 0;
    taken = now;
    for (const octets of underway.splice(0, count)) underwayOctets -= octets;
  }

  /** @returns false when there is no room, or no thread */
  function post(message: Outgoing): boolean {
    const octets = message.bytes?.length ?? 0;
    forgetTaken();
    const isFull = underway.length >= MOST_UNDERWAY || underwayOctets + octets > MOST_UNDERWAY_OCTETS;
    const buffer = message.kind === "batch" ? message.bytes.buffer : undefined;
    if (isFull || !thread.post(message, buffer instanceof ArrayBuffer ? [buffer] : [])) return false;
    underway.push(octets);
    underwayOctets += octets;
    return true;
  }

  /** Tells what is kept, or gone. Where there is no room now, it is told later as it is then. */
  function postKept(kind: KeptKind, subject: string): void {
    const name = nameOf(kind, subject);
    const entry = kept.get(name);
    const wall = entry?.wall ?? wallNow() + wallAhead;
    const isPosted = post({
      kind: "keep",
      sequence: sequence + 1,
      at: sharedNow(),
      entry: kind,
      subject,
      bytes: entry?.bytes,
      wall,
    });
    if (isPosted) {
      sequence++;
      unsent.delete(name);
    } else if (unsent.size < 2 * MOST_KEPT_ENTRIES) unsent.set(name, { kind, subject });
    else lost++;
  }

  /** Lets the thread hand over more. */
  function countHeard(message: FromCluster): void {
    Atomics.add(cells, HEARD_SIZE, sizeOf(octetsOf(message)));
    Atomics.add(cells, HEARD, 1);
  }

  function deliver(message: FromCluster, to: ExchangeListener): void {
    try {
      if (message.kind === "batch")
        to.batch(message.from, message.bytes, Math.max(0, sharedNow() - message.at));
      else if (message.kind === "kept")
        to.kept(message.from, message.entry, message.subject, message.bytes, message.wall);
      else if (message.kind === "peer") to.peer(message.from, message.what);
    } catch (error) {
      parts.fault(error);
    }
  }

  /** Keeps a message until somebody listens. */
  function putAside(message: FromCluster): void {
    const isCounted = earlyOctets < MOST_EARLY;
    earlyOctets += octetsOf(message) + EARLY_MESSAGE;
    early.push({ message, isCounted });
    if (isCounted) countHeard(message);
  }

  function hear(message: FromCluster): void {
    switch (message.kind) {
      case "batch":
      case "kept":
      case "peer":
        if (listener === undefined) putAside(message);
        else {
          deliver(message, listener);
          countHeard(message);
        }
        break;
      case "asked":
        heard.open();
        break;
      case "begun":
        begun.open(message.hasTwin);
        break;
      case "figures":
        figures = message.figures;
        for (const { kind, subject } of unsent.values()) postKept(kind, subject);
        break;
      case "log":
        log[message.level](message.message, message.fields);
        break;
      case "closed":
        thread.lastWord();
        break;
    }
  }

  const thread = startStandingThread<FromCluster, ToCluster>({
    script: new URL(import.meta.url),
    name: "cluster",
    dataFor: (port): ClusterThreadData => ({
      thread: "cluster",
      port,
      cells,
      redis,
      secret,
      node,
      epoch,
      instance,
      sequence,
      wallAhead,
      isBegun: begun.isOpen(),
    }),
    hear,
    started(tell) {
      if (known !== undefined) tell(known);
      for (const { kind, subject } of kept.values()) postKept(kind, subject);
    },
    ended(why) {
      forgetTaken();
      lost += underway.length;
      underway = [];
      underwayOctets = 0;
      figures = { ...figures, isUp: false, why };
      log.error("the cluster thread ended: this node counts alone until it is started again", { why });
    },
  });
  return {
    send(batch) {
      sequence++;
      if (batch.length > MOST_BATCH) {
        lost++;
        return;
      }
      const isWhole = batch.byteOffset === 0 && batch.byteLength === batch.buffer.byteLength;
      // A part of a larger buffer would take the rest with it.
      const bytes = isWhole && batch.buffer instanceof ArrayBuffer ? batch : new Uint8Array(batch);
      if (!post({ kind: "batch", sequence, at: sharedNow(), bytes })) lost++;
    },
    keep(kind, subject, bytes) {
      const wall = wallNow() + wallAhead;
      const name = nameOf(kind, subject);
      if (bytes === undefined) kept.delete(name);
      else if (bytes.length > MOST_KEPT || (kept.size >= MOST_KEPT_ENTRIES && !kept.has(name))) {
        lost++;
        return;
      } else kept.set(name, { kind, subject, bytes: new Uint8Array(bytes), wall });
      postKept(kind, subject);
    },
    know(status) {
      const since = known?.status.revision === status.revision ? known.since : sharedNow();
      known = { kind: "know", status, since };
      thread.post(known);
    },
    figures: () => ({ ...figures, lost: { ...figures.lost, thread: lost } }),
    listen(hearer) {
      listener = hearer;
      for (const { message, isCounted } of early) {
        deliver(message, hearer);
        if (!isCounted) countHeard(message);
      }
      early = [];
    },
    hasTwin: begun.wait,
    asked: (most) => heard.wait(most),
    async close() {
      await thread.close({ kind: "close" }, MOST_FAREWELL);
    },
  };
}

/** Something that is waited for once. */
interface Gate<Value> {
  readonly open: (value: Value) => void;
  readonly isOpen: () => boolean;
  /** Resolves with undefined after `most` milliseconds. */
  readonly wait: (most: Millis) => Promise<Value | undefined>;
}

function createGate<Value>(): Gate<Value> {
  const waiting = new Set<(value: Value) => void>();
  let given: { readonly value: Value } | undefined;
  return {
    open(value) {
      given ??= { value };
      for (const resolve of waiting) resolve(value);
      waiting.clear();
    },
    isOpen: () => given !== undefined,
    wait: (most) =>
      new Promise((resolve) => {
        if (given !== undefined) {
          resolve(given.value);
          return;
        }
        const done = (value: Value | undefined): void => {
          clearTimeout(timer);
          waiting.delete(done);
          resolve(value);
        };
        const timer = setTimeout(done, most, undefined);
        waiting.add(done);
      }),
  };
}

function nameOf(kind: KeptKind, subject: string): string {
  return `${kind} ${subject}`;
}

function octetsOf(message: FromCluster): number {
  return "bytes" in message ? (message.bytes?.length ?? 0) : 0;
}

function isClusterData(value: unknown): value is ClusterThreadData {
  return typeof value === "object" && value !== null && "thread" in value && value.thread === "cluster";
}

if (!isMainThread && isClusterData(workerData)) {
  const { serveCluster } = await import("./serve-cluster.ts");
  serveCluster(workerData);
}
