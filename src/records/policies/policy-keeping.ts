// Keeps a policy before it comes into force: each of its files once, and what names them.
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { EngineName } from "../../domain/capabilities.ts";
import type { Millis } from "../../domain/time.ts";
import type { ReadFile } from "../../config/yaml/config-files.ts";
import type { PolicyMaterial } from "../../config/load-policy.ts";
import { whilePoliciesAreLocked } from "./policies-lock.ts";
import { writeSettled } from "../sealed/settled-files.ts";
import { type KeptPolicy, pathOfFile, pathOfRevision, readKept } from "./kept-policy.ts";

/** Where policies are kept, and for which node. */
export interface PolicyPlace {
  readonly folder: string;
  readonly node: string;
}

/** At most so many times of coming into force are kept. */
const MOST_TIMES = 500;

/** Octets of files, by the path that they were read at. */
export type FileBytes = ReadonlyMap<string, Uint8Array>;

/** Reads as `readFile` does, and remembers the octets. They are kept as they are: nobody may write into them. */
export function rememberBytes(readFile: ReadFile): {
  readonly readFile: ReadFile;
  readonly bytes: FileBytes;
  /** Forgets them: lists may be large. */
  readonly forget: () => void;
} {
  const bytes = new Map<string, Uint8Array>();
  return {
    bytes,
    forget: () => bytes.clear(),
    readFile(path) {
      const content = readFile(path);
      if ("bytes" in content) bytes.set(path, content.bytes);
      return content;
    },
  };
}

/** What a policy was read with. */
export interface PolicySurroundings {
  readonly engine: EngineName;
  readonly listeners: readonly string[];
}

/**
 * Keeps the files that a policy was made of. A file that is kept already is not written again. Everything is on the disk
 * when this returns. Several nodes may share a folder: one at a time keeps its policy there. Never throws: a policy that
 * can't be kept comes into force all the same.
 *
 * @param bytes the policy file and the lists, as they were read
 * @returns why the policy could not be kept; undefined: it is kept
 */
export function keepPolicy(
  place: PolicyPlace,
  material: PolicyMaterial,
  surroundings: PolicySurroundings,
  bytes: FileBytes,
  now: Millis,
): string | undefined {
  const { folder } = place;
  try {
    mkdirSync(join(folder, "files"), { recursive: true, mode: 0o700 });
    whilePoliciesAreLocked(folder, () => writePolicy(place, material, surroundings, bytes, now));
    return undefined;
  } catch (error) {
    return `${folder}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function writePolicy(
  { folder, node }: PolicyPlace,
  { file, lists, revision }: PolicyMaterial,
  { engine, listeners }: PolicySurroundings,
  bytes: FileBytes,
  now: Millis,
): void {
  const before = readKept(folder, revision);
  const known = typeof before === "object" ? before : undefined;
  // Comments make no other revision: the files that were kept first stay, as records name their lines.
  const files = hasFiles(folder, known)
    ? known.files
    : [...new Set([file.source.file, ...lists.map((list) => list.file)])].map((path) =>
        keepFile(folder, path, bytes.get(path)),
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

/** The name of a file is the hash of its content, so that what is there is right. */
function keepFile(folder: string, path: string, bytes: Uint8Array | undefined): KeptPolicy["files"][number] {
  if (bytes === undefined) throw new Error(`${path} was not read`);
  const sha256 = hash("sha256", bytes, "hex");
  const target = pathOfFile(folder, sha256);
  if (!existsSync(target)) writeSettled(target, gzipSync(bytes));
  return { path, sha256 };
}

/** Describes a policy that could not be kept, for the log. `why` is what {@link keepPolicy} returned. */
export function describeUnkept(revision: string, why: string): string {
  return `policy ${revision} could not be kept (${why}); it comes into force all the same: make room or set the permissions, then reload`;
}
