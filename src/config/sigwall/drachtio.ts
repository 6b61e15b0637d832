// The section `drachtio` of sigwall.yaml: its values, and whether it fits the engine.
import type { EngineName } from "../../domain/capabilities.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import type { Source } from "../yaml/yaml-source.ts";
import type { DrachtioEntry } from "./static-schema.ts";
import { resolvePath } from "../yaml/config-files.ts";

/** The key `drachtio` of `sigwall.yaml` with its paths resolved. */
export interface DrachtioConfig {
  readonly servers: readonly {
    readonly host: string;
    readonly port: number;
    readonly secret: string;
    /** `ca` is the path of a PEM file, relative to the working directory of the program. */
    readonly tls?: { readonly ca?: string; readonly name?: string };
  }[];
  readonly reports: boolean;
}

/** Finds a section `drachtio` that is missing, or that the chosen engine does not read. */
export function findEngineIssues(
  source: Source,
  engine: EngineName,
  drachtio: DrachtioEntry | undefined,
): readonly ConfigIssue[] {
  if (engine === "drachtio" && drachtio === undefined)
    return [
      source.issueAt(["engine"], "engine drachtio needs the section `drachtio` with at least one server"),
    ];
  if (engine !== "drachtio" && drachtio !== undefined)
    return [
      source.issueAt(["drachtio"], "has no effect: only `engine: drachtio` reads this section", "warning"),
    ];
  return [];
}

/** Resolves the paths of the entry, which are relative to the file at `path`. */
export function readDrachtio(entry: DrachtioEntry | undefined, path: string): DrachtioConfig | undefined {
  if (entry === undefined) return undefined;
  return {
    reports: entry.reports,
    servers: entry.servers.map(({ tls, ...server }) =>
      tls === undefined
        ? server
        : { ...server, tls: tls.ca === undefined ? tls : { ...tls, ca: resolvePath(path, tls.ca) } },
    ),
  };
}
