// The section `m3ua` of sigwall.yaml: its schema, its values, and the issues a schema can't find.
import { z } from "zod";
import { parseEndpoint, type Endpoint } from "../../net/address.ts";
import { releaseLocationNames, type ReleaseLocation } from "../../ss7/m3ua-reply.ts";
import type { ConfigIssue, Path } from "../yaml/issue.ts";
import { idSchema } from "../yaml/schema-parts.ts";
import type { Source } from "../yaml/yaml-source.ts";

/** At most this many addresses of one end. Exchanges have two, rarely four. */
const MOST_ADDRESSES = 8;

const endpointSchema = z.string().refine((text) => parseEndpoint(text, 0) !== undefined, {
  error: "expected ADDRESS:PORT, IPv6 in brackets",
});

/** One address of an end, or the list of all of its addresses. */
const endSchema = z.union([endpointSchema, z.array(endpointSchema).min(1).max(MOST_ADDRESSES)]);

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
  local: endSchema.describe(
    "Local ADDRESS:PORT, or with sctp a list of them with one port (multi-homing); a client may leave out the port.",
  ),
  remote: endSchema.describe(
    "Peer ADDRESS:PORT, or with sctp a list of them with one port; a server accepts any port when it is left out. Trunks match the first address.",
  ),
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
  /** The first of `locals` and of `remotes`: by these an association is named, and matched by trunks. */
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Every address of each end; all of an end have one port. Several only with SCTP. */
  readonly locals: EndpointList;
  readonly remotes: EndpointList;
}

/** At least one address. */
type EndpointList = readonly [Endpoint, ...Endpoint[]];

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
        ...readEnds(local, remote),
      }));
      return first === undefined || second === undefined
        ? []
        : [{ ...settings, associations: [first, second] }];
    }),
  };
}

type EndEntry = z.output<typeof endSchema>;

function readEnds(
  local: EndEntry,
  remote: EndEntry,
): Pick<AssociationConfig, "local" | "locals" | "remote" | "remotes"> {
  const locals = readEnd(local);
  const remotes = readEnd(remote);
  return { local: locals[0], remote: remotes[0], locals, remotes };
}

function readEnd(entry: EndEntry): EndpointList {
  const [first = nowhere, ...others] = [entry].flat().map((text) => parseEndpoint(text, 0) ?? nowhere);
  return [first, ...others];
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
    associations.flatMap((association, index) => {
      const { id, role, transport, locals, remote } = association;
      const path = ["m3ua", "links", link, "associations", index];
      const issues: ConfigIssue[] = [...findListIssues(source, path, association)];
      if (ids.has(id))
        issues.push(source.issueAt([...path, "id"], `another association already has the id "${id}"`));
      ids.add(id);
      const own = locals.map(({ address, port }) => `${transport} ${address} ${port}`);
      if (role === "client" && remote.port === 0)
        issues.push(
          source.issueAt([...path, "remote"], "a client needs the port of the peer; write ADDRESS:PORT"),
        );
      if (role === "server" && locals[0].port !== 0 && own.some((place) => places.has(place)))
        issues.push(
          source.issueAt([...path, "local"], "another association already listens on this address and port"),
        );
      if (role === "server") for (const place of own) places.add(place);
      return issues;
    }),
  );
}

/** Finds lists that can't be the addresses of one end. */
function findListIssues(source: Source, path: Path, association: AssociationConfig): readonly ConfigIssue[] {
  const { transport, locals, remotes } = association;
  const ends = [
    ["local", locals],
    ["remote", remotes],
  ] as const;
  return ends.flatMap(([key, endpoints]) => {
    const [first, second] = endpoints;
    if (second === undefined) return [];
    if (transport !== "sctp")
      return [source.issueAt([...path, key], "TCP has one address at each end; a list needs transport sctp")];
    return endpoints.flatMap(({ address, port }, index) => {
      const at = [...path, key, index];
      if (endpoints.findIndex((other) => other.address === address) < index)
        return [source.issueAt(at, `${address} is already in the list`)];
      if (address === "0.0.0.0" || address === "::")
        return [
          source.issueAt(at, `${address} stands for every address; list the addresses, or write it alone`),
        ];
      if (port === first.port) return [];
      const wanted = first.port === 0 ? "no port" : `port ${first.port}`;
      return [
        source.issueAt(at, `all addresses of an end have one port; the first one of the list has ${wanted}`),
      ];
    });
  });
}
