// Packs the counts of limits by contract, and takes them back: a start goes on where the process before has ended.
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { Millis } from "../../domain/time.ts";
import { eachExact } from "./exact-times.ts";
import { isExact, type FrequencyCounts, type FrequencyForm, type FrequencyView } from "./frequency-counts.ts";
import { eachRow } from "./subject-rows.ts";
import { eachSummed } from "./summed-times.ts";

/*
 * Little-endian. Head: "SWFC", version (16 bits), 0 (16 bits), the wall clock of the snapshot (double), octets of names (32
 * bits), 0 (32 bits), the first 8 octets of SHA-256 over all that follows. Names: a JSON list of limits. Then for each
 * subject: limit (32 bits), how many times (32 bits), number (double), and the times as ages. An age is milliseconds (32
 * bits) in exact windows; in others seconds (27 bits) and the level of the group (5 bits).
 */
const MAGIC = "SWFC";
const VERSION = 1;
const HEAD = 32;
const DIGEST_AT = 24;
const SECOND: Millis = 1000;
const LEVEL_BITS = 5;
/** Names of limits begin so, with the id of the trunk and a colon behind it. */
const OF_TRUNK = "trunk ";
const MOST_SECONDS = 2 ** 27 - 1;

/** What was restored. */
export interface RestoredCounts {
  /** When the snapshot was taken, on the wall clock. */
  readonly at: Millis;
  readonly subjects: number;
}

/**
 * Packs the counts. Reads memory that another thread goes on writing: of a subject that is written meanwhile one event may
 * be missing or old; whoever counts the calls since then again adds none twice.
 *
 * @param now on the engine's clock
 * @param at the same moment on the wall clock
 */
export function packFrequencies(
  { rows, used, words: shared, limits }: FrequencyView,
  now: Millis,
  at: Millis,
): Buffer {
  const words = new Uint32Array(shared);
  const names = Buffer.from(
    JSON.stringify(limits.map(({ name, calls, within }) => ({ name, calls, within }))),
  );
  let body = Buffer.alloc(1 << 20);
  let end = 0;
  const room = (octets: number): void => {
    if (end + octets <= body.length) return;
    const larger = Buffer.alloc(Math.max(body.length * 2, end + octets));
    body.copy(larger);
    body = larger;
  };
  const second = Math.floor(now / SECOND);
  eachRow(rows, used, ({ limit, subject, block, sizeClass }) => {
    const form = limits[limit];
    if (form === undefined) return;
    const begin = end;
    room(16);
    end += 16;
    let count = 0;
    const put = (age: number): void => {
      room(4);
      body.writeUInt32LE(age, end);
      end += 4;
      count++;
    };
    if (isExact(form))
      eachExact(words, block, sizeClass, (time) => {
        const age = (Math.floor(now) - time) | 0;
        if (age >= 0 && age < form.within) put(age);
      });
    else
      eachSummed(words, block, (time, level) => {
        const age = (second - time) | 0;
        if (age >= 0 && age < form.within / SECOND)
          put(Math.min(age, MOST_SECONDS) * 2 ** LEVEL_BITS + level);
      });
    if (count === 0) {
      end = begin;
      return;
    }
    body.writeUInt32LE(limit, begin);
    body.writeUInt32LE(count, begin + 4);
    body.writeDoubleLE(subject, begin + 8);
  });
  const head = Buffer.alloc(HEAD);
  head.write(MAGIC, "latin1");
  head.writeUInt16LE(VERSION, 4);
  head.writeDoubleLE(at, 8);
  head.writeUInt32LE(names.length, 16);
  const content = Buffer.concat([names, body.subarray(0, end)]);
  head.set(Buffer.from(hash("sha256", content, "hex"), "hex").subarray(0, HEAD - DIGEST_AT), DIGEST_AT);
  return Buffer.concat([head, content]);
}

/**
 * Takes the counts of a snapshot.
 *
 * @param now on the engine's clock
 * @param at the same moment on the wall clock
 * @returns in words, why it can't be read; then nothing was taken
 */
export function restoreFrequencies(
  counts: FrequencyCounts,
  bytes: Buffer,
  now: Millis,
  at: Millis,
): RestoredCounts | string {
  if (bytes.length < HEAD || bytes.toString("latin1", 0, 4) !== MAGIC) return "it is no snapshot of counts";
  if (bytes.readUInt16LE(4) !== VERSION) return "another release of the filter wrote it";
  const digest = Buffer.from(hash("sha256", bytes.subarray(HEAD), "hex"), "hex").subarray(
    0,
    HEAD - DIGEST_AT,
  );
  if (!digest.equals(bytes.subarray(DIGEST_AT, HEAD))) return "it was cut or changed after it was written";
  const taken = bytes.readDoubleLE(8);
  const body = HEAD + bytes.readUInt32LE(16);
  const forms = readForms(bytes.toString("utf8", HEAD, body));
  const limits = forms.map((form) => counts.limit(form.name, form));
  /** The moment of the snapshot on the engine's clock, which began anew. A clock that was set back makes nothing younger. */
  const then = now - Math.max(0, at - taken);
  let subjects = 0;
  for (let next = body; next + 16 <= bytes.length;) {
    const limit = bytes.readUInt32LE(next);
    const count = bytes.readUInt32LE(next + 4);
    const subject = bytes.readDoubleLE(next + 8);
    const form = forms[limit];
    next += 16;
    for (let i = 0; i < count && next + 4 <= bytes.length; i++, next += 4) {
      const age = bytes.readUInt32LE(next);
      if (form === undefined) continue;
      if (isExact(form)) counts.add(limits[limit]!, subject, then - age, ownerOf(form.name));
      else {
        const seconds = Math.floor(age / 2 ** LEVEL_BITS);
        counts.addGroup(
          limits[limit]!,
          subject,
          then - seconds * SECOND,
          age % 2 ** LEVEL_BITS,
          ownerOf(form.name),
        );
      }
    }
    subjects++;
  }
  return { at: taken, subjects };
}

/** Whose share a restored row takes: the trunk that the limit belongs to, or the lessee of many trunks. */
function ownerOf(name: string): string {
  const owner = name.slice(0, Math.max(0, name.indexOf(":")));
  return owner.startsWith(OF_TRUNK) ? owner.slice(OF_TRUNK.length) : owner;
}

function readForms(text: string): readonly (FrequencyForm & { readonly name: string })[] {
  const read: unknown = JSON.parse(text);
  if (!Array.isArray(read)) return [];
  return read.flatMap((each: unknown) =>
    typeof each === "object" &&
    each !== null &&
    "name" in each &&
    "calls" in each &&
    "within" in each &&
    typeof each.name === "string" &&
    typeof each.calls === "number" &&
    typeof each.within === "number"
      ? [{ name: each.name, calls: each.calls, within: each.within }]
      : [],
  );
}
