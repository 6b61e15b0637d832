// Cuts a TCP stream into M3UA messages.
import { Buffer } from "node:buffer";
import { claimedLength, HEADER } from "../../ss7/m3ua.ts";
import { LONGEST_MESSAGE } from "./association.ts";

/** Cuts a TCP stream into M3UA messages by the length in their header, as libosmo-sigtran does. */
export interface M3uaFramer {
  /**
   * Passes every whole message to `take`, in order. The bytes are valid only during the call.
   * @returns why the stream can't be cut, in words; undefined while it can
   */
  push(bytes: Buffer, take: (message: Buffer) => void): string | undefined;
}

/** Makes a framer for one direction of a connection. */
export function createM3uaFramer(): M3uaFramer {
  let kept: Buffer = Buffer.alloc(0);
  return {
    push(bytes, take) {
      const all = kept.length === 0 ? bytes : Buffer.concat([kept, bytes]);
      let at = 0;
      for (;;) {
        const length = claimedLength(all, at, all.length);
        if (length < 0) break;
        if (all[at] !== 1) return `version ${all[at]}`;
        if (length < HEADER || length > LONGEST_MESSAGE) return `a message claims ${length} octets`;
        if (at + length > all.length) break;
        take(all.subarray(at, at + length));
        at += length;
      }
      kept = at === all.length ? Buffer.alloc(0) : Buffer.from(all.subarray(at));
      return undefined;
    },
  };
}
