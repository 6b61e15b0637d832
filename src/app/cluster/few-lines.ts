// Log lines of the cluster thread: of each kind at most one a second, with how many there were.
import type { Millis } from "../../domain/time.ts";
import { sharedNow } from "./cluster-messages.ts";

type Level = "info" | "warn" | "error";
type Fields = Readonly<Record<string, string | number>>;

export interface FewLines {
  readonly say: (level: Level, message: string, fields: Fields) => void;
  /** Tells what was held back. */
  readonly due: (now: Millis) => void;
}

const EVERY: Millis = 1000;
/** Kinds that are known at one time. */
const MOST_KINDS = 256;

interface Kind {
  readonly level: Level;
  fields: Fields;
  saidAt: Millis;
  held: number;
}

export function createFewLines(write: (level: Level, message: string, fields: Fields) => void): FewLines {
  const kinds = new Map<string, Kind>();
  return {
    say(level, message, fields) {
      const now = sharedNow();
      const known = kinds.get(message);
      if (known !== undefined && now - known.saidAt < EVERY) {
        known.held++;
        known.fields = fields;
        return;
      }
      if (kinds.size >= MOST_KINDS) kinds.clear();
      kinds.set(message, { level, fields, saidAt: now, held: 0 });
      write(level, message, fields);
    },
    due(now) {
      for (const [message, kind] of kinds) {
        if (now - kind.saidAt < EVERY) continue;
        if (kind.held === 0) kinds.delete(message);
        else {
          write(kind.level, message, { ...kind.fields, times: kind.held });
          kind.held = 0;
          kind.saidAt = now;
        }
      }
    },
  };
}
