// Where everything that happens to calls is told: counted first, then handed to whoever listens. The only such place.
import type { CallEvent } from "../domain/call.ts";
import { countEvent, type Counters } from "../observe/counters.ts";

/** Takes an event on the path of calls. It must return at once; bytes in the event are overwritten afterwards. */
export type Listen = (event: CallEvent) => void;

/** @returns what engines tell: every event is counted and handed on */
export function createTeller(counters: Counters, listen: Listen): Listen {
  return (event) => {
    countEvent(counters, event);
    listen(event);
  };
}
