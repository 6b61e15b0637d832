// What was ordered by command, as the state folder of a configuration keeps it.
import { hostname } from "node:os";
import type { LineId, LineOrder } from "../../domain/line-state.ts";
import type { Millis } from "../../domain/time.ts";
import type { StaticConfig } from "../../config/load-static.ts";
import { findPlace } from "../../config/sigwall/node-place.ts";
import { readKept } from "../../app/lines/lines-files.ts";
import { readJournal } from "../../app/quarantine/quarantine-journal.ts";
import type { Held } from "../../state/quarantine/held.ts";

/** The orders for lines, and the entries of the quarantine. */
export interface KeptOrders {
  readonly lines: ReadonlyMap<LineId, LineOrder>;
  readonly quarantine: readonly Held[];
}

export const NO_ORDERS: KeptOrders = { lines: new Map(), quarantine: [] };

/** Reads them, and changes nothing. Never throws. `now`: Unix milliseconds. */
export function readKeptOrders(config: StaticConfig, path: string, now: Millis): KeptOrders {
  const { stateFolder } = findPlace(config, path, { host: hostname(), environment: process.env });
  return {
    lines: readKept(stateFolder).orders,
    quarantine: readJournal(stateFolder, now).entries,
  };
}
