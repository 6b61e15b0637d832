import type { EngineName } from "../../domain/capabilities.ts";
import type { ConfigIssue } from "../yaml/issue.ts";
import type { Source } from "../yaml/yaml-source.ts";
import type { DrachtioEntry } from "./static-schema.ts";
import { resolvePath } from "../yaml/config-files.ts";

/** The key `drachtio` of sigwall.yaml, read. */
export interface DrachtioConfig {
  readonly servers: readonly {
    readonly host: string;
    readonly port: number;
    readonly secret: string;
    /** `ca`: path of a PEM file, as seen from where the program runs. */
    readonly tls?: { readonly ca?: string; readonly name?: string };
  }[];
  readonly reports: boolean;
}

/** What doesn't go together with the engine that was chosen. */
export function findEngineIssues(
  source: Source,
  engine: EngineName,
  drachtio: DrachtioEntry | undefined,
): readonly ConfigIssue[] {
  if (engine === "drachtio" && drachtio === undefined)
    return [source.issueAt(["engine"], "drachtio needs the key `drachtio` with at least one server")];
  if (engine !== "drachtio" && drachtio !== undefined)
    return [source.issueAt(["drachtio"], "without effect: the engine is another", "warning")];
  return [];
}

/** Paths are relative to the file at `path`. */
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
