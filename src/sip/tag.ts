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
}

/** What a keyed hash is made for. */
export type MacUse = "branch" | "tag" | "dialog" | "identity" | "hop" | "probe" | "call" | "release";

/** Octets of the fields that are hashed without a string, at most. */
export const MOST_FIELDS = 2048;

/**
 * Creates the hashes of a key.
 * @param key at least 16 random bytes, the same on every node
 */
export function createKeyedTags(key: Uint8Array): KeyedTags {
  const prefix = Buffer.from(key).toString("base64");
  const longest = `${prefix}\nidentity\n`.length + MOST_FIELDS;
  // Not a part of the pool, which others write to.
  const scratch = Buffer.allocUnsafeSlow(longest);
  let use: MacUse | undefined;
  let from = 0;
  // A view for each length that was asked for: the same few lengths come again and again.
  const views = Array.from<Buffer | undefined>({ length: longest + 1 });
  const digits = new Uint8Array(MAC_LENGTH);
  return {
    mac: (what, fields) => hash("sha256", `${prefix}\n${what}\n${fields}`, "hex").slice(0, MAC_LENGTH),
    scratch,
    begin(what) {
      if (what !== use) {
        from = scratch.write(`${prefix}\n${what}\n`, "latin1");
        use = what;
      }
      return from;
    },
    finish(end) {
      const octets = hash("sha256", (views[end] ??= scratch.subarray(0, end)), "binary");
      for (let i = 0; i < MAC_LENGTH; i += 2) {
        const octet = octets.charCodeAt(i >> 1);
        digits[i] = HEX[octet >> 4]!;
        digits[i + 1] = HEX[octet & 15]!;
      }
      return digits;
    },
  };
}

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
