import { z } from "zod";
import { parseEndpoint, type Endpoint } from "../../net/address.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import { idSchema } from "../yaml/schema-parts.ts";
import type { Source } from "../yaml/yaml-source.ts";

const associationSchema = z.strictObject({
  id: idSchema,
  transport: z
    .enum(["sctp", "tcp"])
    .default("sctp")
    .describe("sctp needs Linux with its module and koffi; tcp is what libosmo-sigtran 1.9 and newer speak."),
  role: z
    .enum(["server", "client"])
    .describe("server: the peer connects to `local`; client: this end connects to `remote`."),
  local: z
    .string()
    .refine((text) => parseEndpoint(text, 0) !== undefined, {
      error: "expected ADDRESS:PORT, IPv6 in brackets",
    })
    .describe("Our end: ADDRESS:PORT; a client may leave the port out."),
  remote: z
    .string()
    .refine((text) => parseEndpoint(text, 0) !== undefined, {
      error: "expected ADDRESS:PORT, IPv6 in brackets",
    })
    .describe("The peer: ADDRESS:PORT; of a server's peer any port when it is left out."),
});

/** The section `m3ua` of `sigwall.yaml`. */
export const m3uaSchema = z
  .strictObject({
    variant: z
      .enum(["itu", "ansi"])
      .default("itu")
      .describe("Layout of ISUP: itu is Q.763, also the Chinese one; ansi is T1.113."),
    links: z
      .array(
        z.strictObject({
          associations: z
            .array(associationSchema)
            .length(2)
            .describe(
              "The two ends between which the filter stands; which of them is trusted, the trunks say.",
            ),
        }),
      )
      .min(1)
      .max(64)
      .describe("Pairs of associations: what comes by one goes on by the other."),
  })
  .describe("For `engine: m3ua`: ISUP over M3UA, judged in line.");

type M3uaEntry = z.output<typeof m3uaSchema>;

/** One end of the filter. Port 0: any, or whatever the system gives. */
export interface AssociationConfig {
  readonly id: string;
  readonly transport: "sctp" | "tcp";
  readonly role: "server" | "client";
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export interface LinkConfig {
  readonly associations: readonly [AssociationConfig, AssociationConfig];
}

/** What `engine: m3ua` relays between. */
export interface M3uaConfig {
  readonly variant: "itu" | "ansi";
  readonly links: readonly LinkConfig[];
}

/** Addresses of the section, read; it has passed its schema. */
export function readM3uaConfig({ variant, links }: M3uaEntry): M3uaConfig {
  return {
    variant,
    links: links.flatMap(({ associations }) => {
      const [first, second] = associations.map(({ local, remote, ...rest }): AssociationConfig => ({
        ...rest,
        local: parseEndpoint(local, 0) ?? nowhere,
        remote: parseEndpoint(remote, 0) ?? nowhere,
      }));
      return first === undefined || second === undefined ? [] : [{ associations: [first, second] }];
    }),
  };
}

const nowhere: Endpoint = { address: "0.0.0.0", port: 0 };

/** What the schema can't see: associations of one name, ports that are missing or taken twice, an engine without its section. */
export function findM3uaIssues(
  source: Source,
  engine: string,
  entry: M3uaEntry | undefined,
): readonly ConfigIssue[] {
  if (engine !== "m3ua")
    return entry === undefined
      ? []
      : [source.issueAt(["m3ua"], "without effect: the engine is another", "warning")];
  if (entry === undefined) return [source.issueAt(["engine"], "needs the section `m3ua`")];
  const ids = new Set<string>();
  const places = new Set<string>();
  return readM3uaConfig(entry).links.flatMap(({ associations }, link) =>
    associations.flatMap(({ id, role, transport, local, remote }, index) => {
      const path = ["m3ua", "links", link, "associations", index];
      const issues: ConfigIssue[] = [];
      if (ids.has(id)) issues.push(source.issueAt([...path, "id"], `there is another association "${id}"`));
      ids.add(id);
      const place = `${transport} ${local.address} ${local.port}`;
      if (role === "client" && remote.port === 0)
        issues.push(source.issueAt([...path, "remote"], "a client needs the port that it connects to"));
      if (role === "server" && local.port !== 0 && places.has(place))
        issues.push(source.issueAt([...path, "local"], "another association listens there"));
      if (role === "server") places.add(place);
      return issues;
    }),
  );
}
