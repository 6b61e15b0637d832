// Tells the events of calls: each is counted first, then handed to the one listener.
import type { CallEvent } from "../domain/call.ts";
import { countEvent, type Counters } from "../observe/counters.ts";

/** Takes an event on the path of calls. Must return at once: bytes in the event are overwritten afterwards. */
export type Listen = (event: CallEvent) => void;

/** Makes the function that engines tell events to. It counts every event and hands it on. */
export function createTeller(counters: Counters, listen: Listen): Listen {
  return (event) => {
    countEvent(counters, event);
    listen(event);
  };
}
