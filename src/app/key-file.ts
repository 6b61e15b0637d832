// Reads the secret of the keyed tags from its file, or makes the file.
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { accessSync, constants, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { describeFailure, readRegularFile } from "./read-file.ts";

/** The secret of our keyed tags, and what an operator should know about it. */
export interface Key {
  readonly bytes: Uint8Array;
  readonly warning?: string;
}

const keyLength = 32;
const fewestBytes = 16;

/**
 * Reads the key in `path`: hexadecimal text of at least 16 bytes. A missing file is made with 32 random bytes and mode
 * 0600. Without a path the key lasts as long as the process.
 *
 * @returns the key, or what is wrong with the file
 */
export function obtainKey(path: string | undefined): Key | string {
  if (path === undefined) {
    return {
      bytes: randomBytes(keyLength),
      warning:
        "no keyFile in sigwall.yaml: calls in progress don't survive a restart, and nodes can't share dialogs",
    };
  }
  try {
    // "wx": of two processes that start together one makes the key and the other reads it.
    writeFileSync(path, `${randomBytes(keyLength).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
  } catch (cause) {
    const isThere = cause instanceof Error && "code" in cause && cause.code === "EEXIST";
    if (!isThere) return `${path}: can't make the key file: ${describeFailure(cause)}`;
  }
  try {
    return readKey(path);
  } catch (cause) {
    return `${path}: can't read the key file: ${describeFailure(cause)}`;
  }
}

/** The key that {@link obtainKey} will give, where its file is there already. Makes no file, and never throws. */
export function findKey(path: string | undefined): Uint8Array | undefined {
  if (path === undefined) return undefined;
  try {
    const key = readKey(path);
    return typeof key === "string" ? undefined : key.bytes;
  } catch {
    return undefined;
  }
}

/** @returns why {@link obtainKey} would have no key, or warn about it; undefined: it would not. Makes no file. */
export function findKeyIssue(path: string): string | undefined {
  try {
    const key = readKey(path);
    return typeof key === "string" ? key : key.warning;
  } catch (cause) {
    const isMissing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    if (!isMissing) return `${path}: can't read the key file: ${describeFailure(cause)}`;
  }
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    return undefined;
  } catch (cause) {
    return `${path}: can't make the key file: ${describeFailure(cause)}`;
  }
}

function readKey(path: string): Key | string {
  const text = readRegularFile(path).toString("latin1").trim();
  const bytes = Buffer.from(text, "hex");
  if (bytes.length * 2 !== text.length || bytes.length < fewestBytes) {
    return `${path}: not a key; expected at least ${fewestBytes * 2} hexadecimal digits`;
  }
  const isOpen = (statSync(path).mode & 0o077) !== 0;
  return isOpen ? { bytes, warning: `${path} can be read by others; chmod 600 it` } : { bytes };
}
