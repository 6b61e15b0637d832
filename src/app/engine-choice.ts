// Creates the engine that sigwall.yaml names.
import { readRegularFile } from "./read-file.ts";
import type { DrachtioConfig } from "../config/sigwall/drachtio.ts";
import type { StaticConfig } from "../config/load-static.ts";
import type { DrachtioServer } from "../engines/drachtio/place.ts";
import { createDrachtioEngine } from "../engines/drachtio/drachtio-engine.ts";
import { createEmbeddedEngine } from "../engines/embedded.ts";
import type { Engine, EngineParts } from "../engines/engine.ts";
import { createM3uaEngine } from "../engines/m3ua/m3ua-engine.ts";

/** Messages of an engine to the log. */
interface EngineWords {
  readonly warn: (message: string) => void;
  readonly info: (message: string) => void;
}

/** Creates the engine that sigwall.yaml names. Throws when a file of its certificates can't be read. */
export function createEngine({ drachtio, m3ua }: StaticConfig, parts: EngineParts & EngineWords): Engine {
  if (m3ua !== undefined) return createM3uaEngine({ ...parts, config: m3ua });
  if (drachtio === undefined) return createEmbeddedEngine(parts);
  return createDrachtioEngine(parts, {
    servers: drachtio.servers.map(readServer),
    reports: drachtio.reports,
  });
}

function readServer({ tls, ...server }: DrachtioConfig["servers"][number]): DrachtioServer {
  if (tls === undefined) return server;
  const { ca, name } = tls;
  return {
    ...server,
    tls: {
      ...(ca === undefined ? {} : { ca: readRegularFile(ca).toString("utf8") }),
      ...(name === undefined ? {} : { servername: name }),
    },
  };
}
