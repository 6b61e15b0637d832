import { Buffer } from "node:buffer";
import { createConversation } from "../conversation.ts";
import { type Extent, openExtent } from "../extent.ts";
import { createRandom } from "../random.ts";
import { createStreamReferee, type StreamReferee } from "./referee.ts";
import { createProxy } from "./setting.ts";
import { createWires } from "./wires.ts";
import type { StreamProxy } from "../../support/streams.ts";

/** Messages of one session. */
const LENGTH = 120;
/** A header line that makes a request too large for a datagram. */
const PAD = `X-Pad: ${"p".repeat(1500)}\r\n`;

/** What sessions over streams did and found. */
export interface StreamCampaign {
  readonly sessions: number;
  readonly sent: number;
  readonly accepted: number;
  /** Calls that went on to another next hop, and INVITEs that left by TCP for their size. */
  readonly moved: number;
  readonly large: number;
  /** "seed N: what was wrong", each kind once. */
  readonly failures: readonly string[];
}

interface Figures {
  sent: number;
  accepted: number;
  moved: number;
  large: number;
}

/** Runs sessions; `seed` and the number of the session make its own. */
export function runStreamCampaign(seed: number, extent: Extent, corpus: readonly Buffer[]): StreamCampaign {
  const figures: Figures = { sent: 0, accepted: 0, moved: 0, large: 0 };
  const failures = new Map<string, string>();
  const goesOn = openExtent(extent);
  let sessions = 0;
  for (; goesOn(sessions) && failures.size < 5; sessions++) {
    const wrong = runStreamSession(seed + sessions, corpus, figures);
    const kind = wrong?.split(":", 1)[0] ?? "";
    if (wrong !== undefined && !failures.has(kind)) failures.set(kind, `seed ${seed + sessions}: ${wrong}`);
  }
  return { sessions, ...figures, failures: [...failures.values()] };
}

/** One session; the same seed says the same words. Returns what was wrong. */
export function runStreamSession(
  seed: number,
  corpus: readonly Buffer[],
  figures: Figures,
): string | undefined {
  const random = createRandom(seed);
  const referee = createStreamReferee();
  const proxy = createProxy((decision, message) => referee.decide(decision, message));
  let wrong: string | undefined;
  try {
    wrong = talk(seed, corpus, proxy, referee, random, figures);
  } catch (error) {
    wrong = `thrown: ${error instanceof Error ? error.stack : String(error)}`;
  }
  figures.accepted += proxy.decisions.filter(({ verdict }) => verdict.kind === "accept").length;
  for (const { failoversDown, failovers503 } of proxy.counters.trunks.values())
    figures.moved += failoversDown + failovers503;
  return wrong;
}

function talk(
  seed: number,
  corpus: readonly Buffer[],
  proxy: StreamProxy,
  referee: StreamReferee,
  random: ReturnType<typeof createRandom>,
  figures: Figures,
): string | undefined {
  const conversation = createConversation(createRandom(seed ^ 0x5eed), corpus);
  const wires = createWires(proxy, random, (from, message) => referee.hear(from, message));
  for (let count = 0; count < LENGTH; count++) {
    const { after, from, bytes } = conversation.next();
    for (const sent of [wires.pass(after), wires.say(from, random.once(5) ? pad(bytes) : bytes)]) {
      figures.sent += sent.length;
      figures.large += sent.filter(
        ({ text, listener }) => text.includes(PAD) && listener.startsWith("tcp"),
      ).length;
      const wrong = referee.judge(proxy, sent);
      if (wrong !== undefined) return wrong;
      conversation.hear(sent);
    }
  }
  // Every timer that runs comes to its end.
  return referee.judge(proxy, wires.pass(2000));
}

/** A long field behind the start line. */
function pad(bytes: Buffer): Buffer {
  const end = bytes.indexOf("\r\n") + 2;
  if (end < 2) return bytes;
  return Buffer.concat([bytes.subarray(0, end), Buffer.from(PAD), bytes.subarray(end)]);
}
