// The schema of policy.yaml: every key, its default, and the text that editors show.
import { z } from "zod";
import type { JsonSchema } from "../yaml/schema-issues.ts";
import { reasonCodes } from "../../domain/reason.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import { isTimeZone } from "../lists/calendar.ts";
import { defaultEmergencyLimits } from "../../screening/emergency-rate.ts";
import { bodiesSchema } from "./keys/bodies-schema.ts";
import { labelSchema, stripSchema } from "./keys/clean-up-schema.ts";
import { listSchema } from "./keys/list-schema.ts";
import { lineStateSchema } from "./keys/line-state-schema.ts";
import { detectorsSchema } from "./keys/detectors-schema.ts";
import { frequencySchema } from "./keys/frequency-schema.ts";
import { marketingSchema } from "./keys/marketing-schema.ts";
import { matchSchema } from "./keys/match-schema.ts";
import { methodsSchema } from "./keys/methods-schema.ts";
import { nextHopHealthSchema, nextHopSchema } from "./next-hop.ts";
import { rulesSchema } from "./rule-options.ts";
import { ss7Schema } from "./keys/ss7-schema.ts";
import {
  areaCodeSchema,
  dateSchema,
  idSchema,
  ownNamesSchema,
  pathSchema,
  tableSizeSchema,
  textSchema,
} from "../yaml/schema-parts.ts";

/** Reasons that never refuse a call of a trunk, so no status can be set for them. */
const withoutStatus: readonly ReasonCode[] = [
  "source-unknown",
  "line-observed",
  "emergency",
  "listed",
  "default",
];
const refusals = reasonCodes.filter((code) => !withoutStatus.includes(code));

const emergencyLimitsSchema = z.strictObject({
  perSecond: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(defaultEmergencyLimits.perSecond)
    .describe("Emergency calls of the trunk in a second."),
  perCallerPerSecond: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(defaultEmergencyLimits.perCallerPerSecond)
    .describe("Emergency calls of one asserted number in a second."),
  above: z
    .enum(["alarm", "reject"])
    .default(defaultEmergencyLimits.above)
    .describe("alarm: a call above the limit passes and is counted as a finding; reject: it is refused."),
});

const callsPerSecondSchema = z
  .number()
  .positive()
  .max(1_000_000)
  .exactOptional()
  .describe("Calls per second that may pass; a burst of one second's worth is allowed.");
const channelsSchema = z
  .int()
  .min(1)
  .max(1_000_000)
  .exactOptional()
  .describe("Concurrent calls, from the INVITE or IAM to the end of the call.");

const limitsSchema = z.strictObject({
  callsPerSecond: callsPerSecondSchema,
  attemptsPerCallerPerMinute: z
    .int()
    .min(1)
    .max(1_000_000)
    .exactOptional()
    .describe("Call attempts of one calling number within any minute."),
  messagesPerSecond: z
    .number()
    .positive()
    .max(1_000_000)
    .exactOptional()
    .describe("MESSAGE requests per second that may pass, counted apart from calls."),
  attemptsPerSecond: z
    .number()
    .positive()
    .max(1_000_000)
    .exactOptional()
    .describe(
      "New calls judged per second; the rest is answered 503 without judging, except emergency calls.",
    ),
  share: z
    .number()
    .positive()
    .max(1_000_000)
    .exactOptional()
    .describe("Weight of the trunk when an overloaded filter divides its capacity. Default: 1."),
  emergency: emergencyLimitsSchema
    .exactOptional()
    .describe("The only limits of calls to emergency services. Every trunk but those from abroad has them."),
  channels: channelsSchema,
  frequency: frequencySchema.exactOptional(),
});

const areaSchema = z
  .strictObject({
    province: textSchema.exactOptional(),
    city: textSchema.exactOptional(),
    county: textSchema.exactOptional(),
    branch: textSchema.exactOptional().describe("The branch of the carrier that is responsible."),
  })
  .describe("Where the trunk is. The monthly report gathers by it.");

const lesseeLimitsSchema = z
  .strictObject({
    callsPerSecond: callsPerSecondSchema,
    channels: channelsSchema,
    frequency: frequencySchema.exactOptional(),
  })
  .describe("Limits over all trunks of the lessee.");

/** Schema of one trunk of `policy.yaml`. */
export const trunkSchema = z.strictObject({
  id: idSchema,
  side: z
    .enum(["lessee", "national", "international", "core"])
    .describe("Whom the trunk connects to. `core` is the operator's own network: trusted, not screened."),
  match: matchSchema,
  lessee: idSchema.exactOptional().describe("The lessee whose numbers may call on a trunk of side lessee."),
  state: lineStateSchema.exactOptional(),
  areaCode: areaCodeSchema.exactOptional(),
  area: areaSchema.exactOptional(),
  nextHops: z
    .array(nextHopSchema)
    .min(1)
    .exactOptional()
    .describe(
      "Where accepted calls go; of a core trunk, its calls to the filter itself. Nothing in a message of another trunk ever chooses the next hop.",
    ),
  ownNames: ownNamesSchema
    .exactOptional()
    .describe(
      "Names by which this trunk calls the filter in Route, beside `ownNames` of sigwall.yaml: HOST or HOST:PORT.",
    ),
  failoverOn503: z.boolean().exactOptional().describe("Overrides that of `nextHopHealth`."),
  passThrough503: z.boolean().exactOptional().describe("Overrides that of `nextHopHealth`."),
  default: z
    .enum(["accept", "reject"])
    .exactOptional()
    .describe("Verdict when no rule decides. Default: reject on a lessee trunk, accept on others."),
  exception: z
    .enum(["accept", "reject", "drop"])
    .default("reject")
    .describe("Verdict when the filter itself fails or a table is full."),
  status: z
    .partialRecord(z.enum(refusals), z.int().min(400).max(699))
    .exactOptional()
    .describe("SIP status by reason code; overrides the built-in one."),
  rules: rulesSchema
    .exactOptional()
    .describe("Modes and options of rules on this trunk; override the global ones."),
  limits: limitsSchema.exactOptional(),
  identity: z
    .enum(["all", "presented", "pai-first"])
    .default("all")
    .describe(
      "Which asserted callers count and must pass. all: every one; presented: From only; pai-first: the first of PAI, RPID, PPI, From that has a number.",
    ),
  mustAgree: z
    .array(z.enum(["pai", "rpid", "isup"]))
    .default(["pai", "rpid", "isup"])
    .describe("Fields whose calling numbers must agree."),
  maxCallHours: z
    .number()
    .positive()
    .max(744)
    .default(12)
    .describe("Longest time that a call may stand without its end being seen; then it counts as ended."),
  mode: z
    .enum(["proxy", "redirect"])
    .default("proxy")
    .describe(
      "proxy: accepted calls are forwarded; redirect: they are answered 302 with the next hop. Refusals are the same.",
    ),
  evidence: z
    .enum(["async", "before-reject", "off"])
    .exactOptional()
    .describe(
      "Evidence of this trunk's refused calls. Default: `evidence.durability` of sigwall.yaml. off: none is kept.",
    ),
  methods: methodsSchema.exactOptional(),
  strip: stripSchema.exactOptional(),
  stripVerstat: z
    .boolean()
    .default(false)
    .describe("Removes the parameter verstat from every asserted caller: it is only the peer's own claim."),
  label: labelSchema.exactOptional(),
  dropAs: z
    .int()
    .min(400)
    .max(699)
    .exactOptional()
    .describe("Status for a dropped call where the engine must answer (drachtio); embedded stays silent."),
  tcpAbove: z
    .int()
    .min(200)
    .max(65_507)
    .exactOptional()
    .describe(
      "Bytes above which a request to a UDP next hop goes to the same address and port over TCP (RFC 3261 section 18.1.1).",
    ),
  phoneContexts: z
    .array(textSchema)
    .default([])
    .describe("Domains accepted as phone-context of local numbers (RFC 3966 section 5.1.5)."),
  bareForm: z
    .enum(["auto", "national", "local", "e164", "reject"])
    .default("auto")
    .describe("How a number without + or prefix is read. auto: the first reading that fits."),
  isupVersions: z
    .record(textSchema, z.enum(["itu", "ansi"]))
    .exactOptional()
    .describe("Layout of ISUP bodies whose `version` no standard names."),
  bodies: bodiesSchema.exactOptional(),
  ss7: ss7Schema.exactOptional(),
  tolerateTrunkZero: z.boolean().default(false).describe("Accepts a trunk prefix after +86 (+86 0…)."),
  stripTrailingST: z.boolean().default(false).describe("Accepts one F or # at the end of a SIP number."),
});

/**
 * A trunk as written, with its defaults. `rules` has no defaults yet: global options come between
 * the trunk's own and the defaults.
 */
export type TrunkEntry = Omit<z.output<typeof trunkSchema>, "rules"> & { readonly rules: unknown };

/** Schema of one lessee of `policy.yaml`. */
export const lesseeSchema = z.strictObject({
  id: idSchema,
  name: textSchema.exactOptional(),
  contract: textSchema.exactOptional().describe("Reference of the contract."),
  owner: textSchema
    .exactOptional()
    .describe("Who answers for the lessee in the carrier. The monthly report gathers by it."),
  licence: z
    .enum(["own-use", "call-centre", "hosting"])
    .default("own-use")
    .describe(
      "What the contract permits beside own calls. The detectors spread and sub-lease leave lines of call-centre and hosting alone.",
    ),
  state: lineStateSchema.exactOptional(),
  limits: lesseeLimitsSchema.exactOptional(),
  industry: textSchema
    .exactOptional()
    .describe("Industry of the lessee: `marketing.industries` and do-not-call lists name it."),
  marketing: z
    .boolean()
    .exactOptional()
    .describe("Whether the calls of the lessee are marketing. Default: as its industry says."),
  numbers: pathSchema.describe(
    "CSV list of the lessee's numbers; a relative path starts at the folder of this file.",
  ),
});
/** A lessee as written. */
export type LesseeEntry = z.output<typeof lesseeSchema>;

/** Schema of one number that is exempt from named rules on a trunk. */
export const specialUserSchema = z.strictObject({
  trunk: idSchema,
  number: textSchema.describe("The calling number, written as in a list."),
  allow: z
    .array(z.enum(["hidden"]))
    .min(1)
    .describe("What the number is exempt from. hidden: the rule hidden-caller."),
  until: dateSchema.describe("Last day of the exemption."),
  reason: textSchema.describe("Who approved it, and why."),
});
/** A special user as written. */
export type SpecialUserEntry = z.output<typeof specialUserSchema>;

const mergedSizeSchema = tableSizeSchema.exactOptional().describe("Merged into `calls`.");

/** Schema of the capacities of the bounded tables. */
export const tablesSchema = z
  .strictObject({
    calls: tableSizeSchema
      .exactOptional()
      .describe(
        "Calls that are remembered: refused ones for 32 s, others from the INVITE or IAM to their end. Default: 262144.",
      ),
    callBytes: z
      .int()
      .min(0)
      .max(2 ** 40)
      .default(268_435_456)
      .describe("Octets that all calls together may keep for a BYE of the filter."),
    callers: tableSizeSchema.default(262_144).describe("Calling numbers whose attempts are counted."),
    subjects: tableSizeSchema
      .default(1_048_576)
      .describe("Numbers that are counted for `limits.frequency`, one for each limit that counts them."),
    sources: tableSizeSchema.default(4096).describe("Sources whose trunk is remembered."),
    ledger: mergedSizeSchema,
    recentCalls: mergedSizeSchema,
    failovers: mergedSizeSchema,
    circuits: mergedSizeSchema,
    transactions: mergedSizeSchema,
  })
  .describe("Capacities in entries. When a table is full, `exception` applies.");
/** `tables` as written. */
export type TablesEntry = z.output<typeof tablesSchema>;

/** Schema of `overload`: when the filter sheds new calls. */
export const overloadSchema = z
  .strictObject({
    mode: z
      .enum(["enforce", "off"])
      .default("enforce")
      .describe(
        "enforce: an overloaded filter sheds new calls; off: it judges every new call, however late.",
      ),
    busyRatio: z
      .number()
      .min(0.1)
      .max(0.99)
      .default(0.85)
      .describe("Share of the time, 0 to 1, in which the call thread may be busy before new calls are shed."),
    lateMilliseconds: z
      .number()
      .min(1)
      .max(10_000)
      .default(50)
      .describe("How late a due timer of the call thread may run before new calls are shed."),
    retryAfterSeconds: z
      .int()
      .min(1)
      .max(3600)
      .exactOptional()
      .describe(
        "Retry-After of the 503, in seconds. Default: none, because it silences the whole peer (RFC 3261 section 21.5.4).",
      ),
  })
  .describe("Answers new calls beyond the capacity of the filter with 503, before calls in progress suffer.");

/** Schema of the home numbering plan. */
export const homeSchema = z.strictObject({
  country: z
    .string()
    .refine((code) => code === "86", { error: 'the built-in dial plan is that of country "86"' })
    .default("86")
    .describe("Country code of the home network."),
});
/** Schema of the time zone of all dates. */
export const timeZoneSchema = z
  .string()
  .refine(isTimeZone, { error: 'not a time zone; expected a name like "Asia/Shanghai"' })
  .default("Asia/Shanghai")
  .describe("Time zone of all dates in this file and in the lists.");

/** Schema of the whole of `policy.yaml`. */
export const policySchema = z.strictObject({
  version: z.literal(1),
  home: homeSchema.exactOptional(),
  timeZone: timeZoneSchema,
  trunks: z.array(trunkSchema).min(1),
  lessees: z.array(lesseeSchema).default([]),
  lists: z.record(idSchema, listSchema).default({}),
  specialUsers: z.array(specialUserSchema).default([]),
  rules: rulesSchema.exactOptional(),
  marketing: marketingSchema.exactOptional(),
  detectors: detectorsSchema.exactOptional(),
  nextHopHealth: nextHopHealthSchema.exactOptional(),
  tables: tablesSchema.exactOptional(),
  overload: overloadSchema.exactOptional(),
});

/** JSON Schema of `policy.yaml` for editors. Draft 7, because all of them understand it. */
export const policyJsonSchema: JsonSchema = {
  title: "policy.yaml",
  ...z.toJSONSchema(policySchema, { io: "input", target: "draft-7" }),
};
