// The cluster thread: keeps a link to Redis, seals and opens what nodes tell, and hands it to the call thread.
import { setTimeout as pause } from "node:timers/promises";
import { createBacklog } from "../../cluster/backlog.ts";
import { fitsKept, type ToldStatus, writeKept, writeStatus } from "../../cluster/entry-bodies.ts";
import { MOST_BATCH, type NodeStatus } from "../../cluster/exchange.ts";
import { createHearing } from "../../cluster/hearing.ts";
import { createOwnEntries } from "../../cluster/kept-entries.ts";
import { createPeers } from "../../cluster/peers.ts";
import { createSamePolicy } from "../../cluster/same-policy.ts";
import { deriveKeys, nameSubject } from "../../cluster/sealed-entry.ts";
import { createTwinWatch } from "../../cluster/twin-watch.ts";
import type { Millis } from "../../domain/time.ts";
import { wallNow } from "../../wire/kernel/clock.ts";
import {
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
import { createFewLines } from "./few-lines.ts";
import { type FeedMemory, runFeedSession } from "./feed-session.ts";
import { linkRedis } from "./redis-link.ts";
import { readRedisSecrets } from "./redis-secrets.ts";

/** Messages with batches and entries that may wait for the call thread; then the feed is not read. */
const MOST_UNHEARD = 1024;
/** Their size, in units of 1024 octets. */
const MOST_UNHEARD_SIZE: number = 32 * 1024;
/** Waits between two attempts to connect. Milliseconds. */
const FIRST_WAIT: Millis = 50;
const LONGEST_WAIT: Millis = 1000;
const LOOK_EVERY: Millis = 100;
const FIGURES_EVERY: Millis = 250;
/** When what an earlier process kept, and this one does not, is removed. Milliseconds after the start. */
const LEFTOVERS_AFTER: Millis = 60_000;

/** Serves until the call thread says `close`. */
export function serveCluster(data: ClusterThreadData): void {
  const { port, cells, redis, node, epoch, instance, wallAhead } = data;
  const keys = deriveKeys(data.secret, redis.prefix);
  const self = { node, epoch, instance };
  const backlog = createBacklog();
  const own = createOwnEntries();
  const twins = createTwinWatch();
  const policies = createSamePolicy();
  const few = createFewLines((level, message, fields) => send({ kind: "log", level, message, fields }));
  let status: NodeStatus = { revision: "", lists: {}, isReady: false };
  let since: Millis | undefined;
  let sent = Atomics.load(cells, HEARD);
  let sentSize = Atomics.load(cells, HEARD_SIZE);
  let unkept = 0;
  let isUp = false;
  let why: string | undefined;
  let isBegun = data.isBegun;
  let isAlone = data.isBegun;
  let isAsked = false;
  let isClosing = false;
  let lagged: string | undefined;
  let rouse: (() => void) | undefined;

  const wall = (): Millis => wallNow() + wallAhead;
  const send = (message: FromCluster): void => port.postMessage(message, []);
  /** Hands over what the call thread counts. */
  function hand(message: FromCluster, octets = 0, transfer: readonly ArrayBuffer[] = []): void {
    sent++;
    sentSize += sizeOf(octets);
    port.postMessage(message, [...transfer]);
  }

  const peers = createPeers((from, what) => {
    hand({ kind: "peer", from, what });
    const words = { new: "has come", gone: "is gone", back: "is back" };
    few.say(what === "gone" ? "warn" : "info", `node ${from.node} ${words[what]}`, { epoch: from.epoch });
  });
  const hearing = createHearing({
    keys,
    self,
    peers,
    twins,
    batch(from, bytes, age) {
      const copy = new Uint8Array(bytes);
      hand({ kind: "batch", from, bytes: copy, at: sharedNow() - age }, copy.length, [copy.buffer]);
    },
    kept(from, { kind: entry, subject, bytes, at }) {
      hand(
        { kind: "kept", from, entry, subject, bytes: bytes && new Uint8Array(bytes), wall: at },
        bytes?.length,
      );
    },
    missed: (from, count) =>
      few.say("warn", `entries of node ${from.node} never came: they are not counted here`, { count }),
    refused(name, cause) {
      if (cause === "name" && name === node)
        few.say("error", `another process is node ${node}: give each process a name of its own`, {});
      else few.say("error", "an entry in Redis was refused", { node: name, cause });
    },
  });
  const memory: FeedMemory = {
    backlog,
    own,
    hearing,
    lastId: undefined,
    heartbeatId: undefined,
    sequence: data.sequence,
    position: undefined,
    serverAhead: 0,
    resent: 0,
    commands: 0,
    leftoversAt: sharedNow() + LEFTOVERS_AFTER,
  };

  function told(): ToldStatus {
    return { ...status, inForce: since === undefined ? 0 : Math.max(0, sharedNow() - since) };
  }

  function wakeUp(): void {
    rouse?.();
    rouse = undefined;
  }

  function take(message: Outgoing): void {
    Atomics.add(cells, TAKEN, 1);
    const { sequence, at } = message;
    if (message.kind === "batch") {
      const { bytes } = message;
      if (bytes.length <= MOST_BATCH) backlog.push({ type: "batch", sequence, bytes, field: undefined, at });
      else unkept++;
      wakeUp();
      return;
    }
    const { entry: kind, subject, bytes, wall: keptAt } = message;
    const written = fitsKept(subject, bytes) ? writeKept({ kind, subject, bytes, at: keptAt }) : undefined;
    const field = nameSubject(keys, kind, subject);
    if (
      written === undefined ||
      !own.put({ field, sequence, bytes: written, isGone: bytes === undefined, at })
    ) {
      unkept++;
      few.say("error", "an entry is not kept for other nodes: too many, or too long", { kind });
      return;
    }
    backlog.push({ type: "kept", sequence, bytes: written, field, at });
    wakeUp();
  }

  function tellBegun(): void {
    const verdict = isAlone ? "alone" : twins.verdict(sharedNow());
    if (verdict === "alone" && !isAlone) {
      isAlone = true;
      wakeUp();
    }
    if (verdict === "twin")
      few.say("error", `another process is node ${node}: this one tells nothing as long as it lives`, {});
    if (isBegun || verdict === "waiting") return;
    isBegun = true;
    send({ kind: "begun", hasTwin: verdict === "twin" });
  }

  function tellFigures(): void {
    const now = sharedNow();
    const { refused, gap } = hearing.counts();
    const running = { node, ...told() };
    const { revisions, differing, lag } = policies.compare(running, peers.running(now), now);
    if (lag !== undefined && lag !== lagged)
      few.say("warn", "the policy is not that of the other nodes", { lag });
    if (lag === undefined && lagged !== undefined)
      few.say("info", "the policy is that of the other nodes", {});
    lagged = lag;
    send({
      kind: "figures",
      figures: {
        isUp,
        why,
        peers: peers.figures(),
        revisions,
        differing: differing / 1000,
        lag,
        backlog: backlog.waiting(),
        lost: { backlog: backlog.lost() + unkept, thread: 0, gap },
        refused,
        resent: memory.resent,
        commands: memory.commands,
      },
    });
  }

  /** Waits while the call thread has too much to take. */
  async function room(): Promise<void> {
    while (
      ((sent - Atomics.load(cells, HEARD)) | 0) > MOST_UNHEARD ||
      ((sentSize - Atomics.load(cells, HEARD_SIZE)) | 0) > MOST_UNHEARD_SIZE
    )
      await pause(20);
  }

  async function wake(most: Millis): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, most);
      rouse = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  function asked(): void {
    if (!isAsked) send({ kind: "asked" });
    isAsked = true;
  }

  function note(reason: string | undefined): void {
    const wasUp = isUp;
    isUp = reason === undefined;
    if (isUp) few.say("info", "Redis answers", {});
    else if (wasUp || why === undefined)
      few.say("error", "Redis does not answer: this node counts alone", { why: reason ?? "" });
    why = reason;
    tellFigures();
  }

  async function connectOn(): Promise<void> {
    for (let wait = FIRST_WAIT; ;) {
      const secrets = readRedisSecrets(redis);
      try {
        if (typeof secrets === "string") throw new Error(secrets);
        const link = await linkRedis(redis, secrets);
        await runFeedSession(link, {
          keys,
          self,
          memory,
          status: () => writeStatus(told()),
          now: sharedNow,
          wall,
          wake,
          room,
          asked() {
            note(undefined);
            wait = FIRST_WAIT;
            asked();
          },
          mayTell: () => isAlone,
          isClosing: () => isClosing,
        });
      } catch (error) {
        if (!isClosing) note(error instanceof Error ? error.message : String(error));
      }
      if (isClosing) break;
      await pause(wait);
      wait = Math.min(LONGEST_WAIT, wait * 2);
    }
    end();
  }

  const looking = setInterval(() => {
    const now = sharedNow();
    backlog.due(now);
    hearing.due(now);
    peers.due(now);
    few.due(now);
    tellBegun();
  }, LOOK_EVERY);
  const telling = setInterval(tellFigures, FIGURES_EVERY);

  function end(): void {
    clearInterval(looking);
    clearInterval(telling);
    tellFigures();
    send({ kind: "closed" });
    port.close();
  }

  port.on("message", (message: ToCluster) => {
    switch (message.kind) {
      case "batch":
      case "keep":
        take(message);
        break;
      case "know":
        ({ status, since } = message);
        break;
      case "close":
        isClosing = true;
        wakeUp();
        break;
    }
  });
  void connectOn();
}
