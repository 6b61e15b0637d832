// Which numbers lessees have called from: a walk through records, day by day, that keeps none of them.
import type { Millis } from "../../domain/time.ts";
import { textIn } from "../lines/line-fields.ts";
import { HOUR, type HourFiles, isOfCommand, listHours, openPath } from "../sealed/hour-files.ts";
import { numbersOf, type RecordPlace } from "./ask-records.ts";
import { addUnread, readOpenLines } from "./open-lines.ts";
import { type LesseeNumber, listSealedUse } from "./sealed-lines.ts";

/** How much of the time could be looked at. */
export interface UseFound {
  /** The first moment from which every folder has records. Undefined: there are none. */
  readonly reach: Millis | undefined;
  /** Sealed hours that were left out because there is no database. */
  readonly leftOut: number;
  /** What is damaged, in words for operators. */
  readonly damages: readonly string[];
}

const DAY: Millis = 24 * HOUR;

/**
 * Calls `take` for the calling numbers of attempts that were passed on, at least once each. Throws when a folder can't be
 * read.
 *
 * @param from first moment, inclusive. Unix milliseconds
 * @param to last moment, exclusive
 */
export async function eachUsedNumber(
  { folders, database }: RecordPlace,
  from: Millis,
  to: Millis,
  take: (used: LesseeNumber) => void,
): Promise<UseFound> {
  const filter = { kinds: ["decided"], from, to };
  const damages: string[] = [];
  const firsts: number[] = [];
  const sealed = new Map<number, HourFiles[]>();
  for (const folder of folders) {
    const all = listHours(folder).filter(({ node }) => !isOfCommand(node));
    firsts.push(Math.min(...all.map(({ start }) => start)));
    for (const hour of all.filter(({ start }) => start < to && start + HOUR > from)) {
      if (hour.damage !== undefined)
        damages.push(`${hour.damage}${hour.isOpen ? ": the lines beside it are read" : ""}`);
      const day = Math.floor(hour.start / DAY);
      if (hour.isSealed) sealed.set(day, [...(sealed.get(day) ?? []), hour]);
      else if (hour.isOpen) {
        const unread = readOpenLines(openPath(hour), filter, (line) => {
          const { lessee, verdict } = line;
          if (textIn(lessee) === "" || verdict === "reject" || verdict === "drop") return;
          for (const number of numbersOf(line)) take({ lessee: textIn(lessee), number });
        });
        addUnread(damages, hour, unread);
      }
    }
  }
  // A day at a time: a busy day has some million numbers.
  for (const hours of database === undefined ? [] : sealed.values())
    if (database !== undefined) for (const used of await listSealedUse(database, hours, filter)) take(used);
  const reach = Math.max(...firsts);
  return {
    reach: Number.isFinite(reach) ? reach : undefined,
    leftOut: database === undefined ? [...sealed.values()].flat().length : 0,
    damages,
  };
}
