import type { Buffer } from "node:buffer";
import type { Sent } from "../support/proxy.ts";
import { createConversation, type Datagram } from "./conversation.ts";
import { createRandom } from "./random.ts";
import { createMemory, createReferee, type Complaint, type Memory } from "./referee.ts";
import { createProxy } from "./setting.ts";

/** Datagrams of one session: enough for whole calls, few enough to be made smaller. */
const LENGTH = 120;

/** What came of a session. */
export interface Session {
  readonly datagrams: readonly Datagram[];
  /** How many of them led to something being sent, and how many to an accepted call. */
  readonly answered: number;
  readonly accepted: number;
  readonly memory: Memory;
  /** What the last datagram showed, if anything was wrong. */
  readonly complaint: Complaint | undefined;
}

/** Talks to a fresh proxy until something is wrong or the session is over. The same seed says the same words. */
export function runSession(seed: number, corpus: readonly Buffer[]): Session {
  const conversation = createConversation(createRandom(seed), corpus);
  const datagrams: Datagram[] = [];
  return play(
    createMemory(),
    () => {
      if (datagrams.length === LENGTH) return undefined;
      const datagram = conversation.next();
      datagrams.push(datagram);
      return datagram;
    },
    (sent) => conversation.hear(sent),
  );
}

/** Plays some of the datagrams of a session again as they were. */
export function replaySession(datagrams: readonly Datagram[], memory: Memory = createMemory()): Session {
  let at = 0;
  return play(
    memory,
    () => datagrams[at++],
    () => undefined,
  );
}

function play(
  memory: Memory,
  next: () => Datagram | undefined,
  hear: (sent: readonly Sent[]) => void,
): Session {
  const proxy = createProxy();
  const referee = createReferee(proxy, memory);
  const datagrams: Datagram[] = [];
  let answered = 0;
  let complaint: Complaint | undefined;
  for (let datagram = next(); datagram !== undefined; datagram = next()) {
    datagrams.push(datagram);
    const decided = proxy.decisions.length;
    proxy.now += datagram.after;
    try {
      const sent = proxy.receive(datagram.from, datagram.bytes);
      if (sent.length > 0) answered++;
      hear(sent);
      complaint = referee.judge(datagram, sent, proxy.decisions.slice(decided));
    } catch (error) {
      complaint = {
        kind: "thrown",
        detail: `thrown: ${error instanceof Error ? error.stack : String(error)}`,
      };
    }
    if (complaint !== undefined) break;
  }
  const accepted = proxy.decisions.filter(({ verdict }) => verdict.kind === "accept").length;
  return { datagrams, answered, accepted, memory, complaint };
}
