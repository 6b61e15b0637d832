// The keys in Redis, and the commands and replies of the feed.
import { Buffer } from "node:buffer";
import type { RedisCommand } from "./redis-link.ts";

/** How long entries stay in the feed. Milliseconds. */
const FEED_FOR = 60_000;
/** How long what a node keeps outlives the node. Seconds. */
const KEPT_FOR: number = 7 * 86_400;

export interface FeedKeys {
  readonly feed: string;
  readonly nodes: string;
  readonly kept: (node: string) => string;
}

export function keysOf(prefix: string): FeedKeys {
  return { feed: `${prefix}:feed`, nodes: `${prefix}:nodes`, kept: (node) => `${prefix}:kept:${node}` };
}

/** Adds an entry, and lets go of those that are old by Redis's clock. */
export function addEntry({ feed }: FeedKeys, node: string, sealed: Buffer, serverNow: number): RedisCommand {
  const oldest = Math.max(0, Math.floor(serverNow - FEED_FOR));
  return ["XADD", feed, "MINID", "~", oldest, "*", "node", node, "sealed", sealed];
}

/** Asks for an entry by its id: nothing is found for undefined, and where Redis has lost it. */
export function findEntry({ feed }: FeedKeys, id = "0-1"): RedisCommand {
  return ["XRANGE", feed, id, id, "COUNT", 1];
}

/** Keeps an entry of a node. */
export function keepEntry({ kept }: FeedKeys, node: string, field: string, sealed: Buffer): RedisCommand {
  return ["HSET", kept(node), field, sealed];
}

/** Lets what a node keeps outlive it for some days. */
export function keepAlive({ kept }: FeedKeys, node: string): RedisCommand {
  return ["EXPIRE", kept(node), KEPT_FOR];
}

/** An entry of the feed as it stands in Redis. Undefined fields: it is none of ours. */
export interface FeedEntry {
  readonly id: string;
  /** When Redis took it, by its own clock. Unix milliseconds. */
  readonly writtenAt: number;
  readonly node: string | undefined;
  readonly sealed: Buffer | undefined;
}

/** Reads what XREAD gives for one stream. Anything else is nothing. */
export function readFeed(reply: unknown): readonly FeedEntry[] {
  const [stream] = listOf(reply);
  return readEntries(listOf(stream)[1]);
}

/** Reads what XRANGE gives. */
export function readEntries(reply: unknown): readonly FeedEntry[] {
  return listOf(reply).flatMap((entry) => {
    const [id, fields] = listOf(entry);
    if (!Buffer.isBuffer(id)) return [];
    const text = id.toString("latin1");
    const pairs = pairsOf(fields);
    const node = pairs.find(([name]) => name === "node")?.[1];
    return [
      {
        id: text,
        writtenAt: timeOfId(text),
        node: node?.toString("utf8", 0, 256),
        sealed: pairs.find(([name]) => name === "sealed")?.[1],
      },
    ];
  });
}

/** Reads what HGETALL gives. */
export function pairsOf(reply: unknown): readonly (readonly [name: string, value: Buffer])[] {
  const list = listOf(reply);
  const pairs: (readonly [string, Buffer])[] = [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    const [name, value] = [list[index], list[index + 1]];
    if (Buffer.isBuffer(name) && Buffer.isBuffer(value)) pairs.push([name.toString("utf8", 0, 256), value]);
  }
  return pairs;
}

/** Reads what TIME gives. Unix milliseconds; undefined: it is no time. */
export function readTime(reply: unknown): number | undefined {
  const [seconds, micros] = listOf(reply).map((part) => Number(String(part)));
  return seconds !== undefined && micros !== undefined && Number.isFinite(seconds + micros)
    ? seconds * 1000 + micros / 1000
    : undefined;
}

/** `1700000000000-5`: milliseconds of Redis's clock, and a count. */
export function timeOfId(id: string): number {
  const time = Number(id.slice(0, id.indexOf("-")));
  return Number.isFinite(time) ? time : 0;
}

function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}
