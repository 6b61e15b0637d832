// Two connections to Redis that fail fast: one for commands, one that waits for entries. Whatever fails, both end.
import type { Buffer } from "node:buffer";
import { Redis, type RedisOptions } from "ioredis";
import type { RedisConfig } from "../../config/sigwall/redis-schema.ts";
import type { Millis } from "../../domain/time.ts";
import type { RedisSecrets } from "./redis-secrets.ts";

/** A command with its arguments. */
export type RedisCommand = readonly [name: string, ...arguments_: (string | number | Buffer)[]];

export interface RedisLink {
  /** Sends commands together. Resolves with their replies; rejects, and ends the link, when one fails or is late. */
  readonly ask: (commands: readonly RedisCommand[]) => Promise<readonly unknown[]>;
  /** Sends one command that may wait for `most` milliseconds, on the other connection. Rejects in the same way. */
  readonly wait: (command: RedisCommand, most: Millis) => Promise<unknown>;
  readonly end: (why: string) => void;
}

/** Time limit of a command, and of a connection. Milliseconds. */
export const MOST_COMMAND: Millis = 1000;
/** Octets of one reply. A server that sends more is left. */
const MOST_REPLY: number = 80 * 2 ** 20;

/** Connects. Rejects with the reason after {@link MOST_COMMAND} at most. */
export async function linkRedis(config: RedisConfig, secrets: RedisSecrets): Promise<RedisLink> {
  const options = optionsOf(config, secrets);
  const connections = [new Redis(options), new Redis(options)] as const;
  const pending = new Set<(error: Error) => void>();
  let why: string | undefined;
  let unread = 0;

  function end(reason: string): void {
    const first = (why ??= reason);
    for (const fail of pending) fail(new Error(first));
    for (const connection of connections) connection.disconnect();
  }

  /** Settles as `reply` does. Whatever fails ends the link. */
  function limited<T>(reply: Promise<T>, most: Millis, what: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => end(`no answer to ${what} within ${most} ms`), most);
      const settle = (): void => {
        clearTimeout(timer);
        pending.delete(fail);
      };
      function fail(error: Error): void {
        settle();
        reject(error);
      }
      pending.add(fail);
      void reply
        .finally(() => (unread = 0))
        .then(resolve, (error: unknown) => end(reasonOf(error)))
        .finally(settle);
      if (why !== undefined) end(why);
    });
  }

  /** Connects, and says who we are. */
  async function open(connection: Redis): Promise<void> {
    await connection.connect();
    const { password } = secrets;
    const { username, database, place } = config;
    if (password !== undefined)
      await connection.call("AUTH", username === undefined ? [password] : [username, password]);
    if (database !== 0) await connection.call("SELECT", [database]);
    // A Sentinel may name a server that has just been replaced.
    const role = place.kind === "sentinels" ? await connection.call("ROLE") : undefined;
    if (Array.isArray(role) && role[0] !== "master") throw new Error("the server is a replica");
  }

  for (const connection of connections) {
    connection.on("error", (error) => end(reasonOf(error)));
    connection.on("end", () => end("the connection was closed"));
  }
  await limited(Promise.all(connections.map(open)), MOST_COMMAND, "a connection");
  for (const { stream } of connections)
    stream.on("data", (octets: Buffer) => {
      unread += octets.length;
      if (unread > MOST_REPLY) end(`a reply has more than ${MOST_REPLY} octets`);
    });
  const [commands, waiting] = connections;
  return {
    async ask(list) {
      const line = commands.pipeline();
      for (const [name, ...rest] of list) line.callBuffer(name, rest);
      const replies = await limited(line.exec(), MOST_COMMAND, list[0]?.[0] ?? "nothing");
      return (replies ?? []).map(([error, reply]) => {
        if (error === null) return reply;
        end(reasonOf(error));
        throw error;
      });
    },
    wait: ([name, ...rest], most) => limited(waiting.callBuffer(name, rest), most + MOST_COMMAND, name),
    end,
  };
}

function optionsOf(config: RedisConfig, secrets: RedisSecrets): RedisOptions {
  const { place } = config;
  const { ca, certificate, key } = secrets;
  const tls =
    config.tls === undefined
      ? undefined
      : {
          minVersion: "TLSv1.2" as const,
          ...(ca === undefined ? {} : { ca }),
          ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
        };
  return {
    ...(place.kind === "tcp"
      ? { host: place.host, port: place.port }
      : place.kind === "socket"
        ? { path: place.path }
        : {
            sentinels: [...place.sentinels],
            name: place.master,
            // The caller tries again.
            sentinelRetryStrategy: () => null,
            sentinelCommandTimeout: MOST_COMMAND,
            ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
          }),
    ...(tls === undefined ? {} : { tls }),
    connectTimeout: MOST_COMMAND,
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    disableClientInfo: true,
    retryStrategy: () => null,
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
