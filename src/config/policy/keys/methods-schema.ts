// The key `methods` of a trunk: which requests outside a call it carries.
import { z } from "zod";

const choice = z.enum(["refuse", "screen"]).exactOptional();

/** Names of event packages, which are tokens (RFC 6665 section 8.4). */
const packagesSchema = z
  .array(
    z.string().regex(/^[A-Za-z0-9!%*_+`'~.-]{1,64}$/, {
      error: "not the name of an event package; expected one like message-summary",
    }),
  )
  .min(1)
  .exactOptional();

/** Schema of the key `methods` of a trunk: requests that are not part of a call. */
export const methodsSchema = z
  .strictObject({
    MESSAGE: choice.describe(
      "refuse (405), or screen: judged like a call; limits.messagesPerSecond is its own limit.",
    ),
    REFER: choice.describe(
      "refuse (405), or screen: From and Referred-By are judged; a Refer-To with header fields is refused.",
    ),
    REGISTER: choice.describe("refuse (405), or screen: the address of record must be a listed number."),
    SUBSCRIBE: packagesSchema.describe(
      "Event packages that pass once the caller is judged. Default: refuse.",
    ),
    NOTIFY: packagesSchema.describe("As SUBSCRIBE."),
    PUBLISH: packagesSchema.describe("As SUBSCRIBE."),
    OPTIONS: z
      .enum(["answer", "pass"])
      .exactOptional()
      .describe(
        "answer: the filter answers 200; pass: to the next hop, unless addressed to the filter itself.",
      ),
    other: z
      .enum(["refuse", "pass"])
      .exactOptional()
      .describe("Methods not named here: refuse (405), or pass without judging."),
  })
  .describe("Requests other than calls. INVITE and the requests of its dialog need no entry here.");
