import { z } from "zod";
import { isAreaCode } from "../../numbering/cn.ts";
import { parseNetwork } from "../../net/address.ts";

/** Name of a trunk, lessee or list: it becomes a metric label and a word on the command line. */
export const idSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    error: 'an id has 1 to 64 letters, digits, ".", "_" or "-" and begins with a letter or digit',
  })
  .describe("Name: letters, digits, '.', '_' and '-'; it is a metric label and a word on the command line.");

/** Text of which something is left when the space around it is taken away. */
export const textSchema = z.string().refine((text) => text.trim() !== "", { error: "must not be empty" });

/** A path; relative ones start at the file that names them. */
export const pathSchema = textSchema.describe("A path; a relative one starts at the folder of this file.");

/** A date of the calendar, `2026-12-31`. */
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

/** The area of a trunk, without trunk prefix (Chinese numbering plan: 2 digits with 8-digit subscribers, else 3). */
export const areaCodeSchema = z
  .string()
  .refine((text) => isAreaCode(text), {
    error: 'no area code of the plan; written without trunk prefix, like "10" or "755"',
  })
  .describe("Area in which bare subscriber numbers are read, without trunk prefix.");

/** A UDP or TCP port of a peer. */
export const portSchema = z.int().min(1).max(65_535);

/** A whole number of table entries; the upper end keeps a slip of the finger from taking all memory. */
export const tableSizeSchema = z.int().min(16).max(16_777_216);

/** A name in a certificate: a DNS name, compared without case; a wildcard matches nothing (RFC 5922 section 7.2). */
export const tlsNameSchema = z
  .string()
  .regex(/^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*$/, {
    error: 'expected a host name as it stands in the certificate, without "*" and "sip:"',
  })
  .describe("Name that the peer's certificate must prove; such a trunk is reached over TLS only.");
