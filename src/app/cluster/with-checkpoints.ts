// An exchange that carries the checkpoints of the evidence too: ours to the other nodes, theirs to our records.
import { shareCheckpoints } from "../../records/peers/checkpoint-sharing.ts";
import type { Records } from "../../records/lines/recording.ts";
import type { OpenExchange } from "./open-exchange.ts";

/**
 * Begins to tell the checkpoints of this node. Those of the others are taken from the moment that somebody listens.
 *
 * @param records undefined: this node keeps neither records nor evidence
 */
export function withCheckpoints(
  exchange: OpenExchange,
  node: string,
  records: Pick<Records, "onCheckpoint" | "keepCheckpoint"> | undefined,
): OpenExchange {
  if (records === undefined) return exchange;
  const checkpoints = shareCheckpoints(records, exchange, node);
  return {
    ...exchange,
    listen: (listener) =>
      exchange.listen({
        ...listener,
        kept(from, kind, subject, bytes, at) {
          checkpoints.kept(from, kind, subject, bytes, at);
          listener.kept(from, kind, subject, bytes, at);
        },
      }),
  };
}
