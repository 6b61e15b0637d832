// Parts that the schemas of both YAML files share: ids, paths, ports, networks, dates.
import { z } from "zod";
import { isAreaCode } from "../../numbering/cn.ts";
import { parseNetwork } from "../../net/address.ts";
import { parseHostPort } from "../../net/host.ts";

/** Name of a trunk, lessee or list. It becomes a metric label and a word on the command line. */
export const idSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    error: 'an id has 1 to 64 letters, digits, ".", "_" or "-" and begins with a letter or digit',
  })
  .describe("Name: letters, digits, '.', '_' and '-'; it is a metric label and a word on the command line.");

/** Text that is not empty after trimming. */
export const textSchema = z.string().refine((text) => text.trim() !== "", { error: "must not be empty" });

/** A path; a relative one starts at the folder of the file that names it. */
export const pathSchema = textSchema.describe("A path; a relative one starts at the folder of this file.");

/** A calendar date, `2026-12-31`. */
export const dateSchema = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, { error: "expected a date like 2026-12-31" });

/** An IP address or block in CIDR form. */
export const networkSchema = z
  .string()
  .superRefine((text, context) => {
    const network = parseNetwork(text);
    if (typeof network === "string") context.addIssue({ code: "custom", message: network });
  })
  .describe("IPv4 or IPv6 address, or a block like 192.0.2.0/24.");

/**
 * Area code of a trunk, without trunk prefix. Chinese numbering plan: 2 digits where subscriber
 * numbers have 8 digits, else 3.
 */
export const areaCodeSchema = z
  .string()
  .refine((text) => isAreaCode(text), {
    error: 'not an area code of the numbering plan; write it without trunk prefix, like "10" or "755"',
  })
  .describe("Area code for bare subscriber numbers, without trunk prefix.");

/** A UDP or TCP port of a peer. */
export const portSchema = z.int().min(1).max(65_535);

/** Capacity of a table, in entries. The upper bound keeps a typing slip from taking all memory. */
export const tableSizeSchema = z.int().min(16).max(16_777_216);

/**
 * A DNS name in a certificate, compared without case. Wildcards are not accepted (RFC 5922 section
 * 7.2).
 */
export const tlsNameSchema = z
  .string()
  .regex(/^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*$/, {
    error: 'expected a host name as in the certificate, without "*" and "sip:"',
  })
  .describe("Name that the certificate of the peer must prove; only messages over TLS match.");

/** Names of the filter itself: addresses or host names, with or without a port. */
export const ownNamesSchema = z
  .array(
    z.string().refine((text) => parseHostPort(text) !== undefined, {
      error: "expected a host name or an address, with or without :PORT, IPv6 in brackets",
    }),
  )
  .min(1)
  .max(64);
