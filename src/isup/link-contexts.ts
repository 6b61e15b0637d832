// The network appearances and routing contexts of each link: a message of our own takes those of the link that it goes by.
import type { Buffer } from "node:buffer";
import { createM3uaMessage, readM3ua, type M3uaMessage } from "../ss7/m3ua.ts";
import { withContext } from "../ss7/m3ua-reply.ts";
import { across, type LinkIndex, type LinkSide } from "./links.ts";

/** What stands in DATA beside its protocol data; -1: it is not there (RFC 4666 section 3.3.1). */
type Context = Pick<M3uaMessage, "networkAppearance" | "routingContext">;

interface KnownContexts {
  /** Those of the link, a few: application servers of one pair of networks. */
  readonly known: Context[];
  /** The last one of each side. */
  readonly last: [Context | undefined, Context | undefined];
}

/** At most this many contexts of one link are told apart. */
const MOST_CONTEXTS = 16;

/**
 * The two neighbours of each link agree on these values for that link (RFC 4666 section 1.4.2): a REL that another link
 * takes over would be refused there with those of its first link.
 */
export interface LinkContexts {
  /** Notes the context of a DATA message. */
  note(link: LinkIndex, side: LinkSide, message: Context): void;
  /** Returns a message of our own as it goes by a link to a side. */
  fit(link: LinkIndex, side: LinkSide, bytes: Buffer): Buffer;
  /** The link is up again: its neighbours may have agreed on something else. */
  forget(link: LinkIndex): void;
}

export function createLinkContexts(): LinkContexts {
  const links: (KnownContexts | undefined)[] = [];
  const own = createM3uaMessage();

  return {
    note(link, side, message) {
      const former = links[link]?.last[side];
      if (former !== undefined && isEqual(former, message)) return;
      const { known, last } = (links[link] ??= { known: [], last: [undefined, undefined] });
      let found = known.find((each) => isEqual(each, message));
      if (found === undefined) {
        const { networkAppearance, routingContext } = message;
        found = { networkAppearance, routingContext };
        if (known.length >= MOST_CONTEXTS) known.shift();
        known.push(found);
      }
      last[side] = found;
    },
    fit(link, side, bytes) {
      const contexts = links[link];
      if (contexts === undefined || !readM3ua(own, bytes, 0, bytes.length) || own.dataStart < 0) return bytes;
      const { known, last } = contexts;
      if (known.some((each) => isEqual(each, own))) return bytes;
      const context = last[across(side)] ?? last[side];
      return context === undefined ? bytes : withContext(bytes, own.dataStart - 4, context);
    },
    forget(link) {
      links[link] = undefined;
    },
  };
}

function isEqual(one: Context, other: Context): boolean {
  return one.networkAppearance === other.networkAppearance && one.routingContext === other.routingContext;
}
