// The section `m3ua` of sigwall.yaml: its schema, its values, and the issues a schema can't find.
import { z } from "zod";
import { parseEndpoint, type Endpoint } from "../../net/address.ts";
import { releaseLocationNames, type ReleaseLocation } from "../../ss7/m3ua-reply.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { idSchema } from "../yaml/schema-parts.ts";
import type { Source } from "../yaml/yaml-source.ts";

const associationSchema = z.strictObject({
  id: idSchema,
  transport: z
    .enum(["sctp", "tcp"])
    .default("sctp")
    .describe(
      "sctp needs Linux with the sctp module and koffi; tcp is what libosmo-sigtran 1.9 and newer speak.",
    ),
  role: z
    .enum(["server", "client"])
    .describe("server: the peer connects to `local`; client: this end connects to `remote`."),
  local: z
    .string()
    .refine((text) => parseEndpoint(text, 0) !== undefined, {
      error: "expected ADDRESS:PORT, IPv6 in brackets",
    })
    .describe("Local ADDRESS:PORT; a client may leave out the port."),
  remote: z
    .string()
    .refine((text) => parseEndpoint(text, 0) !== undefined, {
      error: "expected ADDRESS:PORT, IPv6 in brackets",
    })
    .describe("Peer ADDRESS:PORT; a server accepts any port when it is left out."),
});

/** Schema of the section `m3ua` of `sigwall.yaml`. */
export const m3uaSchema = z
  .strictObject({
    variant: z
      .enum(["itu", "ansi"])
      .default("itu")
      .describe("ISUP layout: itu is Q.763, also used in China; ansi is T1.113."),
    links: z
      .array(
        z.strictObject({
          linkset: idSchema
            .optional()
            .describe(
              "Links of one linkset share one memory of circuits. Left out: links between trunks that they have in common are one linkset.",
            ),
          variant: z
            .enum(["itu", "ansi"])
            .optional()
            .describe("ISUP layout of this link; default: `m3ua.variant`."),
          acceptMissingEnd: z
            .boolean()
            .optional()
            .describe(
              "true: an IAM may lack the octet that ends its optional parameters. Q.763 demands it; some exchanges leave it out.",
            ),
          releaseCause: z
            .int()
            .min(1)
            .max(127)
            .optional()
            .describe("Cause of Q.850 in REL where reasons have 21, call rejected."),
          releaseLocation: z
            .enum(releaseLocationNames)
            .optional()
            .describe("Location in REL (Q.850); default: transit."),
          associations: z
            .array(associationSchema)
            .length(2)
            .describe(
              "The two associations that the filter stands between; the trunks say which one is trusted.",
            ),
        }),
      )
      .min(1)
      .max(64)
      .describe("Pairs of associations: messages that arrive on one leave on the other."),
  })
  .describe("For `engine: m3ua`: ISUP over M3UA, judged inline.");

type M3uaEntry = z.output<typeof m3uaSchema>;

/**
 * One M3UA association of the filter. Port 0 of `local` lets the system choose; port 0 of `remote`
 * accepts any port.
 */
export interface AssociationConfig {
  readonly id: string;
  readonly transport: "sctp" | "tcp";
  readonly role: "server" | "client";
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

/** Two associations: messages that arrive on one leave on the other. */
export interface LinkConfig {
  /** Undefined: links whose ends belong to the same trunks are one linkset. */
  readonly linkset?: string | undefined;
  /** Undefined: as for all links. */
  readonly variant?: "itu" | "ansi" | undefined;
  readonly acceptMissingEnd?: boolean | undefined;
  readonly releaseCause?: number | undefined;
  readonly releaseLocation?: ReleaseLocation | undefined;
  readonly associations: readonly [AssociationConfig, AssociationConfig];
}

/** What `engine: m3ua` relays between: the ISUP variant and the pairs of associations. */
export interface M3uaConfig {
  readonly variant: "itu" | "ansi";
  readonly links: readonly LinkConfig[];
}

/** Reads the addresses of a section that has passed its schema. */
export function readM3uaConfig({ variant, links }: M3uaEntry): M3uaConfig {
  return {
    variant,
    links: links.flatMap(({ associations, ...settings }) => {
      const [first, second] = associations.map(({ local, remote, ...rest }): AssociationConfig => ({
        ...rest,
        local: parseEndpoint(local, 0) ?? nowhere,
        remote: parseEndpoint(remote, 0) ?? nowhere,
      }));
      return first === undefined || second === undefined
        ? []
        : [{ ...settings, associations: [first, second] }];
    }),
  };
}

const nowhere: Endpoint = { address: "0.0.0.0", port: 0 };

/**
 * Finds what the schema can't: associations with one id, missing ports, ports taken twice, and an
 * engine without its section.
 */
export function findM3uaIssues(
  source: Source,
  engine: string,
  entry: M3uaEntry | undefined,
): readonly ConfigIssue[] {
  if (engine !== "m3ua")
    return entry === undefined
      ? []
      : [source.issueAt(["m3ua"], "has no effect: only `engine: m3ua` reads this section", "warning")];
  if (entry === undefined) return [source.issueAt(["engine"], "engine m3ua needs the section `m3ua`")];
  const ids = new Set<string>();
  const places = new Set<string>();
  return readM3uaConfig(entry).links.flatMap(({ associations }, link) =>
    associations.flatMap(({ id, role, transport, local, remote }, index) => {
      const path = ["m3ua", "links", link, "associations", index];
      const issues: ConfigIssue[] = [];
      if (ids.has(id))
        issues.push(source.issueAt([...path, "id"], `another association already has the id "${id}"`));
      ids.add(id);
      const place = `${transport} ${local.address} ${local.port}`;
      if (role === "client" && remote.port === 0)
        issues.push(
          source.issueAt([...path, "remote"], "a client needs the port of the peer; write ADDRESS:PORT"),
        );
      if (role === "server" && local.port !== 0 && places.has(place))
        issues.push(
          source.issueAt([...path, "local"], "another association already listens on this address and port"),
        );
      if (role === "server") places.add(place);
      return issues;
    }),
  );
}
