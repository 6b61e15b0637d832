import { createTwins } from "../support/twins.ts";
import { createConversation } from "./conversation.ts";
import { readCorpus } from "./corpus.ts";
import { type Extent, openExtent } from "./extent.ts";
import { createRandom } from "./random.ts";
import { createTwinProxy } from "./setting.ts";

/** Datagrams of one session. */
const LENGTH = 160;

/** How many changes a message gets: mostly none, since what is changed is seldom taken. */
const changes: readonly (readonly number[])[] = [
  [0, 0, 0, 0, 0, 1],
  [0, 0, 1, 1, 2],
];

/** How often the byte path took a message, and what differed from the general path. */
export interface Comparison {
  readonly sessions: number;
  readonly messages: number;
  readonly taken: number;
  readonly handedOn: number;
  /** What differed, with the seed of its session; at most {@link MOST_FOUND}. */
  readonly differing: readonly string[];
}

const MOST_FOUND = 3;

/** Has conversations with two proxies at once, one of them without the byte path. Each session has a seed of its own. */
export function compareSessions(seed: number, extent: Extent): Comparison {
  const corpus = readCorpus();
  const goesOn = openExtent(extent);
  const differing: string[] = [];
  let [sessions, messages, taken, handedOn] = [0, 0, 0, 0];
  for (; goesOn(sessions) && differing.length < MOST_FOUND; sessions++) {
    const twins = createTwins((ordinary) => createTwinProxy(sessions % 3 === 2, ordinary));
    const conversation = createConversation(createRandom(seed + sessions), corpus, changes[sessions % 2]);
    try {
      for (let said = 0; said < LENGTH; said++, messages++) {
        const { after, from, bytes } = conversation.next();
        if (said % 20 === 19) twins.pass(100);
        twins.proxy.now += after;
        conversation.hear(twins.receive(from, bytes));
      }
    } catch (error) {
      differing.push(`--seed ${seed + sessions}: ${error instanceof Error ? error.message : String(error)}`);
    }
    taken += twins.tally.taken;
    handedOn += twins.tally.handedOn;
  }
  return { sessions, messages, taken, handedOn, differing };
}
