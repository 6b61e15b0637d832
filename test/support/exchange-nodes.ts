import { Buffer } from "node:buffer";
import { type ExchangeParts, openExchange, type OpenExchange } from "../../src/app/cluster/open-exchange.ts";
import type { KeptKind } from "../../src/cluster/exchange.ts";
import type { RedisConfig } from "../../src/config/sigwall/redis-schema.ts";
import { readRedisUrl } from "../../src/config/sigwall/redis-schema.ts";

/** A node of a test, and what it heard. */
export interface TestNode {
  readonly exchange: OpenExchange;
  /** Batches, `NODE TEXT`. */
  readonly batches: string[];
  /** Ages of the batches. Milliseconds. */
  readonly ages: number[];
  /** Kept entries, `NODE KIND SUBJECT TEXT`; without text: gone. */
  readonly kept: string[];
  /** `NODE WHAT`. */
  readonly peers: string[];
  /** Log lines, `LEVEL MESSAGE`. */
  readonly log: string[];
  /** Hands over the texts, a batch each. */
  readonly tell: (...texts: readonly string[]) => void;
  readonly keep: (kind: KeptKind, subject: string, text: string | undefined) => void;
}

export const secret: Uint8Array = new Uint8Array(32).fill(7);

/** The configuration of `url`. */
export function redisAt(url: string, more: Partial<RedisConfig> = {}): RedisConfig {
  const read = readRedisUrl(url);
  if (typeof read === "string") throw new Error(read);
  return {
    place: read.place,
    database: read.database,
    username: undefined,
    passwordFile: undefined,
    tls: undefined,
    prefix: "sigwall",
    requireSameRevision: false,
    ...more,
  };
}

/** Opens the exchange of a node; its process began at `epoch`. */
export function openNode(
  redis: RedisConfig,
  node: string,
  epoch = 1000,
  more: Partial<ExchangeParts> = {},
): TestNode {
  const batches: string[] = [];
  const ages: number[] = [];
  const kept: string[] = [];
  const peers: string[] = [];
  const log: string[] = [];
  const note =
    (level: string) =>
    (message: string, fields: object = {}): void =>
      void log.push(`${level} ${message} ${JSON.stringify(fields)}`);
  const exchange = openExchange({
    redis,
    secret,
    node,
    epoch,
    log: {
      info: note("info"),
      warn: note("warn"),
      error: note("error"),
      fault: (error) => void log.push(`fault ${String(error)}`),
      refused: () => undefined,
      omitted: () => undefined,
    },
    fault: (error) => void log.push(`fault ${String(error)}`),
    ...more,
  });
  exchange.listen({
    batch(from, bytes, age) {
      batches.push(`${from.node} ${Buffer.from(bytes).toString()}`);
      ages.push(age);
    },
    kept: (from, kind, subject, bytes) =>
      void kept.push(
        [from.node, kind, subject, ...(bytes === undefined ? [] : [Buffer.from(bytes).toString()])].join(" "),
      ),
    peer: (from, what) => void peers.push(`${from.node} ${what}`),
  });
  exchange.know({ revision: "r1", lists: {}, isReady: true });
  return {
    exchange,
    batches,
    ages,
    kept,
    peers,
    log,
    tell: (...texts) => texts.forEach((text) => exchange.send(new TextEncoder().encode(text))),
    keep: (kind, subject, text) =>
      exchange.keep(kind, subject, text === undefined ? undefined : new TextEncoder().encode(text)),
  };
}
