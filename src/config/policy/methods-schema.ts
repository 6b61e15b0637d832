import { z } from "zod";

const choice = z.enum(["refuse", "screen"]).exactOptional();

/** Names of event packages: tokens (RFC 6665 section 8.4). */
const packagesSchema = z
  .array(
    z.string().regex(/^[A-Za-z0-9!%*_+`'~.-]{1,64}$/, {
      error: "not the name of an event package; expected one like message-summary",
    }),
  )
  .min(1)
  .exactOptional();

/** The key `methods` of a trunk: requests that are no part of a call. */
export const methodsSchema = z
  .strictObject({
    MESSAGE: choice.describe("refuse (405), or screen: judged like a call, limits.messagesPerSecond apart."),
    REFER: choice.describe(
      "refuse (405), or screen: From and Referred-By are judged, a Refer-To that holds header fields is refused.",
    ),
    REGISTER: choice.describe("refuse (405), or screen: the address of record must be a listed number."),
    SUBSCRIBE: packagesSchema.describe(
      "Event packages that pass once the caller is judged; refused when left out.",
    ),
    NOTIFY: packagesSchema.describe("Likewise."),
    PUBLISH: packagesSchema.describe("Likewise."),
    OPTIONS: z
      .enum(["answer", "pass"])
      .exactOptional()
      .describe("answer: 200 from here; pass: to the next hop, unless it is addressed to the filter itself."),
    other: z
      .enum(["refuse", "pass"])
      .exactOptional()
      .describe("Methods that stand nowhere here: refuse (405), or pass, unjudged."),
  })
  .describe("Requests other than calls. INVITE and what belongs to its dialog always pass by the rules.");
