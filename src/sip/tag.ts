// Keyed hashes in branches and tags, by which a stateless element recognises its own work.
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";

/** A branch that begins with this cookie is unique by itself (RFC 3261 section 8.1.1.7). */
export const MAGIC_COOKIE = "z9hG4bK";

const BRANCH_PREFIX = `${MAGIC_COOKIE}sw`;
const TAG_PREFIX = "sw";

/** How many hex digits of a keyed hash are kept: 96 bits. */
export const MAC_LENGTH = 24;

/** How many characters a branch of ours has. */
export const BRANCH_LENGTH = BRANCH_PREFIX.length + 1 + MAC_LENGTH;

/**
 * Keyed hashes by which a stateless element recognises its own work: branches, To tags of refusals,
 * and the dialog tokens in our Record-Route. All nodes with the same key recognise each other's.
 *
 * The hash is SHA-256 over key and message, cut to 96 bits. Cutting leaves a forger no inner state
 * to extend.
 */
export interface KeyedTags {
  /**
   * Returns 24 hex digits over the fields. `use` keeps the purposes apart. Fields must not hold
   * line breaks.
   */
  mac(use: MacUse, fields: string): string;
  /**
   * The same over octets: {@link KeyedTags.begin}, then the fields are written into `scratch` at the place that it
   * returns, then {@link KeyedTags.finish} gives the digits. No string is made. The octets must be ASCII: a text beyond
   * it is hashed as UTF-8.
   */
  readonly scratch: Uint8Array;
  /** @returns where the fields begin; {@link MOST_FIELDS} octets have room there */
  begin(use: MacUse): number;
  /**
   * @param end where the fields in `scratch` end
   * @returns the digits as octets, until the next call
   */
  finish(end: number): Uint8Array;
  /**
   * Holds a message whose parts are fields. Within one buffer the engine moves octets without a loop and without an
   * object.
   *
   * @returns false for one of more than {@link MOST_HELD} octets
   */
  hold(bytes: Uint8Array): boolean;
  /** Writes a part of the message that is held into `scratch` at `at`. @returns where it ends */
  putHeld(at: number, start: number, end: number): number;
}

/** What a keyed hash is made for. */
export type MacUse = (typeof uses)[number];

/** Octets of the fields that are hashed without a string, at most. */
export const MOST_FIELDS = 2048;

/**
 * Creates the hashes of a key.
 * @param key at least 16 random bytes, the same on every node
 */
export function createKeyedTags(key: Uint8Array): KeyedTags {
  const prefix = Buffer.from(key).toString("base64");
  const longest = prefix.length + LONGEST_USE + MOST_FIELDS;
  // Behind the fields: the prefix of each use, then the message that is held. Not a part of the pool, which others
  // write to.
  const held = longest + uses.length * (prefix.length + LONGEST_USE);
  const scratch = Buffer.allocUnsafeSlow(held + MOST_HELD);
  const starts = new Map<MacUse, number>();
  let free = longest;
  for (const use of uses) {
    starts.set(use, free);
    free += scratch.write(`${prefix}\n${use}\n`, free, "latin1");
  }
  // A view for each length that was asked for: the same few lengths come again and again.
  const views = Array.from<Buffer | undefined>({ length: longest + 1 });
  const digits = Buffer.alloc(MAC_LENGTH);
  return {
    mac: (use, fields) => hash("sha256", `${prefix}\n${use}\n${fields}`, "hex").slice(0, MAC_LENGTH),
    scratch,
    begin(use) {
      const start = starts.get(use) ?? free;
      const length = prefix.length + use.length + 2;
      scratch.copyWithin(0, start, start + length);
      return length;
    },
    finish(end) {
      // A hash of a part would prove what was cut off with it.
      if (end > longest) throw new RangeError("the fields of a keyed hash are too long");
      const octets = hash("sha256", (views[end] ??= scratch.subarray(0, end)), "binary");
      for (let i = 0; i < MAC_LENGTH; i += 2) {
        const octet = octets.charCodeAt(i >> 1);
        digits[i] = HEX[octet >> 4]!;
        digits[i + 1] = HEX[octet & 15]!;
      }
      return digits;
    },
    hold(bytes) {
      if (bytes.length > MOST_HELD) return false;
      scratch.set(bytes, held);
      return true;
    },
    putHeld(at, start, end) {
      scratch.copyWithin(at, held + start, held + end);
      return at + end - start;
    },
  };
}

const uses = ["branch", "tag", "dialog", "identity", "hop", "probe", "call", "release"] as const;
/** Octets of the longest use, and the line breaks around it. */
const LONGEST_USE = "identity".length + 2;
/** Octets of a message that is held, at most: those of a datagram. */
export const MOST_HELD = 65_536;

const HEX = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0));

/**
 * Writes a branch: the cookie, the listener that the message left by (one base-36 digit), the MAC.
 */
export function formatBranch(listener: number, mac: string): string {
  return `${BRANCH_PREFIX}${listener.toString(36)}${mac}`;
}

/**
 * Reads the listener and the MAC of a branch in our form. The branch is ours only when the MAC
 * verifies.
 * @returns undefined when the form is another
 */
export function parseBranch(branch: string): { readonly listener: number; readonly mac: string } | undefined {
  if (branch.length !== BRANCH_LENGTH || !branch.startsWith(BRANCH_PREFIX)) return undefined;
  const listener = parseInt(branch.charAt(BRANCH_PREFIX.length), 36);
  return Number.isNaN(listener) ? undefined : { listener, mac: branch.slice(BRANCH_PREFIX.length + 1) };
}

/** Writes the To tag of a refusal. */
export function formatTag(mac: string): string {
  return TAG_PREFIX + mac;
}
