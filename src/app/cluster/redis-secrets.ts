// Reads the password and the certificates for Redis from their files, at each connection.
import type { Buffer } from "node:buffer";
import { statSync } from "node:fs";
import type { RedisConfig } from "../../config/sigwall/redis-schema.ts";
import { describeFailure, readRegularFile } from "../read-file.ts";

export interface RedisSecrets {
  readonly password: string | undefined;
  readonly ca: Buffer | undefined;
  readonly certificate: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** @returns in words, which file can't be read and why */
export function readRedisSecrets({ passwordFile, tls }: RedisConfig): RedisSecrets | string {
  let reading = passwordFile;
  const read = (path: string | undefined): Buffer | undefined => {
    reading = path;
    return path === undefined ? undefined : readRegularFile(path);
  };
  try {
    const password = read(passwordFile)?.toString("utf8").trim();
    if (password === "") return `${reading}: the file is empty; expected a password`;
    return { password, ca: read(tls?.ca), certificate: read(tls?.certificate), key: read(tls?.key) };
  } catch (error) {
    return `${reading}: can't be read: ${describeFailure(error)}`;
  }
}

/** Finds what `check` warns of: files that can't be read, and those with a secret that others can read. */
export function findSecretIssues(
  config: RedisConfig,
): readonly (readonly [key: readonly string[], message: string])[] {
  const secrets = readRedisSecrets(config);
  const files = [
    [["redis", "passwordFile"], config.passwordFile],
    [["redis", "tls", "key"], config.tls?.key],
  ] as const;
  const open = files.flatMap(([key, path]) =>
    path !== undefined && isOpen(path) ? [[key, `${path} can be read by others; chmod 600 it`] as const] : [],
  );
  return typeof secrets === "string" ? [[["redis"], secrets], ...open] : open;
}

function isOpen(path: string): boolean {
  try {
    return (statSync(path).mode & 0o077) !== 0;
  } catch {
    return false;
  }
}
