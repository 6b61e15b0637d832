// The clock of a time zone: from moments to what it shows, and back.
import type { Millis } from "../domain/time.ts";

/** The clock of one time zone. A local time is what the clock shows, as if it were UTC, in milliseconds. */
export interface LocalClock {
  /** What the clock shows at a moment, in whole seconds. */
  readonly localOf: (at: Millis) => Millis;
  /** The moment at which the clock shows `local`. Where it shows that twice or never, a moment close to it. */
  readonly momentOf: (local: Millis) => Millis;
}

/** Makes the clock of a time zone of the IANA database. */
export function createLocalClock(timeZone: string): LocalClock {
  const clock = new Intl.DateTimeFormat("en-US-u-ca-iso8601-nu-latn", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
  const localOf = (at: Millis): Millis => {
    const fields = new Map<string, number>();
    for (const part of clock.formatToParts(at)) fields.set(part.type, Number(part.value));
    const field = (name: string): number => fields.get(name) ?? 0;
    return Date.UTC(
      field("year"),
      field("month") - 1,
      field("day"),
      field("hour"),
      field("minute"),
      field("second"),
    );
  };
  return {
    localOf,
    // The moment depends on the offset, and the offset on the moment: two steps settle it.
    momentOf(local) {
      const near = local - (localOf(local) - local);
      return local - (localOf(near) - near);
    },
  };
}
