// One connection's life: writes what waits and the heartbeat, reads what others tell, and writes again what Redis has lost.
import type { Buffer } from "node:buffer";
import { setTimeout as pause } from "node:timers/promises";
import type { Backlog } from "../../cluster/backlog.ts";
import type { Hearing } from "../../cluster/hearing.ts";
import type { OwnEntries } from "../../cluster/kept-entries.ts";
import { type ClusterKeys, type EntryType, sealEntry } from "../../cluster/sealed-entry.ts";
import { MOST_NODES } from "../../cluster/exchange.ts";
import type { Millis } from "../../domain/time.ts";
import {
  addEntry,
  type FeedEntry,
  findEntry,
  keepAlive,
  keepEntry,
  keysOf,
  pairsOf,
  readEntries,
  readFeed,
  readTime,
  timeOfId,
} from "./feed-keys.ts";
import type { RedisCommand, RedisLink } from "./redis-link.ts";

/** What outlives a connection. */
export interface FeedMemory {
  readonly backlog: Backlog;
  readonly own: OwnEntries;
  readonly hearing: Hearing;
  /** The id of the last entry that was written; undefined: none was. */
  lastId: string | undefined;
  /** The id of the last heartbeat. */
  heartbeatId: string | undefined;
  /** The sequence of the last entry that was written. */
  sequence: number;
  /** The id up to which the feed was read; undefined: nothing was. */
  position: string | undefined;
  /** What Redis's clock is ahead of {@link FeedSessionParts.now}. Milliseconds. */
  serverAhead: Millis;
  /** Entries that were written again. */
  resent: number;
  commands: number;
  /** When leftovers of an earlier process of this node are removed. Monotonic; undefined: they are. */
  leftoversAt: Millis | undefined;
}

export interface FeedSessionParts {
  readonly keys: ClusterKeys;
  readonly self: { readonly node: string; readonly epoch: number; readonly instance: string };
  readonly memory: FeedMemory;
  readonly status: () => Buffer;
  /** Monotonic milliseconds, and the wall clock. */
  readonly now: () => Millis;
  readonly wall: () => Millis;
  /** Resolves when something waits to be written, or after `most` milliseconds. */
  readonly wake: (most: Millis) => Promise<void>;
  /** Resolves when the call thread can take more. */
  readonly room: () => Promise<void>;
  /** What other nodes keep was heard. */
  readonly asked: () => void;
  /** False: it is not known whether another process has the name of this node, so nothing is told in its name. */
  readonly mayTell: () => boolean;
  /** True: what waits is written, then the session ends. */
  readonly isClosing: () => boolean;
}

/** Time between two heartbeats. Milliseconds. */
const BEAT: Millis = 1000;
/** How far back a feed is read after a connection. Milliseconds. */
const READ_BACK: Millis = 45_000;
/** Octets that are written together. */
const MOST_FLIGHT: number = 2 ** 20;
const MOST_READ = 64;
/** Entries that come within so long are read together. Milliseconds. */
const GATHER: Millis = 40;
/** A server whose clock has gone back further has begun a feed anew. Milliseconds. */
const MOST_BACKWARDS: Millis = 1000;
/** Heartbeats between two signs that what a node keeps is still of use. */
const ALIVE_EVERY = 60;
/** How long the name of a node is known after its last sign. Milliseconds. */
const NAMED_FOR: Millis = 7 * 86_400_000;

/** The octets of entries whose head says everything. */
const NOTHING: Uint8Array = new Uint8Array(0);

/** Runs until the link ends, or until everything is written while closing. Rejects with the reason. */
export async function runFeedSession(link: RedisLink, parts: FeedSessionParts): Promise<void> {
  const { keys, self, memory, now, wall } = parts;
  const { backlog, own, hearing } = memory;
  const names = keysOf(keys.prefix);
  let beats = 0;
  let lost = backlog.lost();

  const serverNow = (): Millis => now() + memory.serverAhead;

  function seal(type: EntryType, sequence: number, bytes: Uint8Array, held: Millis): Buffer {
    const { instance, epoch } = self;
    return sealEntry(keys, self.node, { type, instance, epoch, sequence, at: wall(), held }, bytes);
  }

  const add = (sealed: Buffer): RedisCommand => addEntry(names, self.node, sealed, serverNow());

  async function ask(commands: readonly RedisCommand[]): Promise<readonly unknown[]> {
    memory.commands += commands.length;
    const before = now();
    const replies = await link.ask(commands);
    if (commands[0]?.[0] === "TIME") {
      const time = readTime(replies[0]);
      if (time === undefined) link.end("the server does not tell its time");
      else memory.serverAhead = time - (before + now()) / 2;
    }
    return replies;
  }

  /** Redis has lost what was written: everything that is there still is written again. */
  async function restore(): Promise<void> {
    memory.resent += backlog.rewind();
    await writeKept();
  }

  async function writeKept(): Promise<void> {
    let flight: RedisCommand[] = [];
    let octets = 0;
    for (const { field, sequence, bytes, at } of own.all()) {
      flight.push(keepEntry(names, self.node, field, seal("kept", sequence, bytes, now() - at)));
      octets += bytes.length;
      if (octets < MOST_FLIGHT) continue;
      await ask(flight);
      flight = [];
      octets = 0;
    }
    await ask([...flight, ...signOfLife()]);
  }

  function signOfLife(): readonly RedisCommand[] {
    const name = seal("name", memory.sequence, NOTHING, 0);
    return [["HSET", names.nodes, self.node, name], keepAlive(names, self.node)];
  }

  async function greet(): Promise<void> {
    const last = memory.lastId;
    const [, found] = await ask([["TIME"], findEntry(names, last)]);
    const back = Math.max(0, Math.floor(serverNow() - READ_BACK));
    // A server that has just taken over may give again ids that were read.
    memory.position = `${back}-0`;
    await ask([add(seal("hello", 0, NOTHING, 0))]);
    if (!parts.mayTell()) return;
    if (last !== undefined && readEntries(found).length === 0) await restore();
    else await writeKept();
  }

  /** Hears what other nodes keep, and what an earlier process of this node kept. */
  async function askKept(): Promise<void> {
    const [listed] = await ask([["HGETALL", names.nodes]]);
    const known: (readonly [node: string, at: Millis])[] = [];
    for (const [node, sealed] of pairsOf(listed)) {
      const at = hearing.name(node, sealed);
      if (at === undefined) continue;
      if (wall() - at < NAMED_FOR) known.push([node, at]);
      else await ask([["HDEL", names.nodes, node]]);
    }
    const newest = known.toSorted(([, a], [, b]) => b - a).slice(0, MOST_NODES);
    for (const [node] of newest) {
      const [entries] = await ask([["HGETALL", names.kept(node)]]);
      await parts.room();
      for (const [field, sealed] of pairsOf(entries)) hearing.keptValue(node, field, sealed);
    }
    parts.asked();
  }

  async function write(): Promise<void> {
    const flight = backlog.next(MOST_FLIGHT);
    if (flight.length === 0) return;
    const commands: RedisCommand[] = [];
    const kept: RedisCommand[] = [];
    for (const { type, sequence, bytes, field, at } of flight) {
      const sealed = seal(type, sequence, bytes, now() - at);
      commands.push(add(sealed));
      if (field !== undefined && own.sequenceOf(field) === sequence)
        kept.push(keepEntry(names, self.node, field, sealed));
    }
    const replies = await ask([...commands, ...kept]);
    memory.sequence = flight.at(-1)?.sequence ?? memory.sequence;
    backlog.written(memory.sequence);
    memory.lastId = String(replies[commands.length - 1]);
  }

  /** Says what this node runs, and finds out whether Redis still has what it had. */
  async function beat(): Promise<void> {
    const status = seal("status", memory.sequence, parts.status(), 0);
    const before = memory.heartbeatId;
    const commands: readonly RedisCommand[] = [
      ["TIME"],
      findEntry(names, before),
      ["HLEN", names.kept(self.node)],
      add(status),
    ];
    const [, found, kept, id] = await ask(commands);
    const heartbeat = String(id);
    memory.heartbeatId = heartbeat;
    memory.lastId = heartbeat;
    // The clock of a server that begins anew may be behind the one that was read before.
    if (timeOfId(heartbeat) + MOST_BACKWARDS < timeOfId(memory.position ?? "0-0")) memory.position = "0-0";
    const hasLost = lost !== (lost = backlog.lost());
    if (before !== undefined && readEntries(found).length === 0) await restore();
    else if (Number(kept) < own.size() || hasLost) await writeKept();
    else if (beats++ % ALIVE_EVERY === 0) await ask(signOfLife());
    await tidy();
  }

  async function tidy(): Promise<void> {
    const gone = own.due(now());
    if (gone.length > 0) await ask([["HDEL", names.kept(self.node), ...gone]]);
    if (memory.leftoversAt === undefined || now() < memory.leftoversAt) return;
    memory.leftoversAt = undefined;
    const [fields] = await ask([["HKEYS", names.kept(self.node)]]);
    const left = (Array.isArray(fields) ? fields : [])
      .map(String)
      .filter((field) => own.sequenceOf(field) === undefined);
    if (left.length > 0) await ask([["HDEL", names.kept(self.node), ...left]]);
  }

  async function writeOn(): Promise<void> {
    while (!parts.mayTell()) {
      if (parts.isClosing()) {
        link.end("closed");
        return;
      }
      await ask([["TIME"]]);
      await parts.wake(BEAT);
    }
    for (let due = now(); ;) {
      await write();
      if (now() >= due) {
        await beat();
        due = now() + BEAT;
      }
      if (parts.isClosing() && backlog.next(1).length === 0) {
        await ask([add(seal("bye", memory.sequence, NOTHING, 0))]);
        link.end("closed");
        return;
      }
      if (backlog.next(1).length === 0) await parts.wake(Math.max(0, due - now()));
    }
  }

  function hear({ node, sealed, writtenAt }: FeedEntry): void {
    if (node === undefined || sealed === undefined) hearing.refuse("", "form");
    else hearing.entry(node, sealed, { now: now(), wall: wall(), writtenAt, serverNow: serverNow() });
  }

  async function readOn(): Promise<void> {
    for (;;) {
      await parts.room();
      const from = memory.position ?? "0-0";
      memory.commands++;
      const reply = await link.wait(
        ["XREAD", "COUNT", MOST_READ, "BLOCK", BEAT, "STREAMS", names.feed, from],
        BEAT,
      );
      const entries = readFeed(reply);
      entries.forEach(hear);
      const last = entries.at(-1);
      if (last === undefined) continue;
      if (memory.position === from) memory.position = last.id;
      await pause(GATHER);
    }
  }

  await greet();
  await askKept();
  await Promise.all([writeOn(), readOn()]);
}
