// Keeps a policy before it comes into force: each of its files once, and what names them.
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { EngineName } from "../../domain/capabilities.ts";
import type { Millis } from "../../domain/time.ts";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import type { PolicyMaterial } from "../../config/load-policy.ts";
import { whilePoliciesAreLocked } from "./policies-lock.ts";
import { removeFile, settle, writeSettled } from "../sealed/settled-files.ts";
import { type KeptPolicy, pathOfFile, pathOfRevision, readKept } from "./kept-policy.ts";

/** Where policies are kept, and for which node. */
export interface PolicyPlace {
  readonly folder: string;
  readonly node: string;
}

/** At most so many times of coming into force are kept. */
const MOST_TIMES = 500;

/** What a policy was read with. */
export interface PolicySurroundings {
  readonly engine: EngineName;
  readonly listeners: readonly string[];
}

/**
 * Keeps the files that a policy was made of. A file that is kept already is not read nor written again. Everything is on
 * the disk when this returns. Several nodes may share a folder: one at a time keeps its policy there. Never throws: a
 * policy that can't be kept comes into force all the same.
 *
 * @param readFile reads a list that is not kept yet once more; one that has changed since is not kept
 * @returns why the policy could not be kept; undefined: it is kept
 */
export function keepPolicy(
  place: PolicyPlace,
  material: PolicyMaterial,
  surroundings: PolicySurroundings,
  readFile: ReadFile,
  now: Millis,
): string | undefined {
  const { folder } = place;
  try {
    mkdirSync(join(folder, "files"), { recursive: true, mode: 0o700 });
    whilePoliciesAreLocked(folder, () => writePolicy(place, material, surroundings, readFile, now));
    return undefined;
  } catch (error) {
    return `${folder}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function writePolicy(
  { folder, node }: PolicyPlace,
  { file, lists, calendar, releases, revision }: PolicyMaterial,
  { engine, listeners }: PolicySurroundings,
  readFile: ReadFile,
  now: Millis,
): void {
  const before = readKept(folder, revision);
  const known = typeof before === "object" ? before : undefined;
  // Comments make no other revision: the files that were kept first stay, as records name their lines.
  const files = hasFiles(folder, known)
    ? known.files
    : keepFiles(
        folder,
        new Map<string, FileToKeep>([
          [file.source.file, { sha256: hash("sha256", file.source.bytes, "hex"), bytes: file.source.bytes }],
          ...lists.map((list) => [list.file, { sha256: list.read.hashes.octets }] as const),
          ...releases.map((list) => [list.file, { sha256: list.hashes.octets }] as const),
          ...(calendar === undefined ? [] : [[calendar.file, { sha256: calendar.hashes.octets }] as const]),
        ]),
        readFile,
      );
  const kept: KeptPolicy = {
    revision,
    policy: hasFiles(folder, known) ? known.policy : file.source.file,
    timeZone: file.timeZone,
    engine,
    listeners,
    files,
    inForce: [...(known?.inForce ?? []), { from: new Date(now).toISOString(), node }].slice(-MOST_TIMES),
  };
  writeSettled(pathOfRevision(folder, revision), Buffer.from(`${JSON.stringify(kept, undefined, 2)}\n`));
}

function hasFiles(folder: string, known: KeptPolicy | undefined): known is KeptPolicy {
  return known !== undefined && known.files.every(({ sha256 }) => existsSync(pathOfFile(folder, sha256)));
}

/** A file to be kept. */
interface FileToKeep {
  readonly sha256: string;
  /** Left out: the file is read again. */
  readonly bytes?: Uint8Array;
}

/**
 * Keeps files. The name of a file is the hash of its content, so that what is there is right. New files are written all
 * together before the disk is waited for: one wait then does for most of them.
 */
function keepFiles(
  folder: string,
  files: ReadonlyMap<string, FileToKeep>,
  readFile: ReadFile,
): KeptPolicy["files"] {
  const written = new Map<string, string>();
  try {
    for (const [path, { sha256, bytes }] of files) {
      const target = pathOfFile(folder, sha256);
      if (existsSync(target) || written.has(target)) continue;
      const temporary = `${target}.${process.pid}.new`;
      written.set(target, temporary);
      // Lists are large and alike in all their rows: the least effort packs them nearly as well as the greatest.
      const packed = gzipSync(bytes ?? readUnchanged(path, sha256, readFile), { level: 1 });
      writeFileSync(temporary, packed, { mode: 0o600 });
    }
    for (const temporary of written.values()) settle(temporary);
    for (const [target, temporary] of written) renameSync(temporary, target);
  } catch (error) {
    for (const temporary of written.values()) removeFile(temporary);
    throw error;
  }
  if (written.size > 0) settle(join(folder, "files"));
  return [...files].map(([path, { sha256 }]) => ({ path, sha256 }));
}

function readUnchanged(path: string, sha256: string, readFile: ReadFile): Uint8Array {
  const content = readFile(path);
  if ("error" in content) throw new Error(`${path}: ${content.error}`);
  if (hash("sha256", content.bytes, "hex") !== sha256)
    throw new Error(`${path} was changed while it was read`);
  return content.bytes;
}

/** Describes a policy that could not be kept, for the log. `why` is what {@link keepPolicy} returned. */
export function describeUnkept(revision: string, why: string): string {
  return `policy ${revision} could not be kept (${why}); it comes into force all the same: make room or set the permissions, then reload`;
}
