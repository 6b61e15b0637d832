import { z } from "zod";
import type { JsonSchema } from "../yaml/schema-issues.ts";
import { reasonCodes } from "../../domain/reason.ts";
import type { ReasonCode } from "../../domain/reason.ts";
import { isTimeZone } from "../lists/calendar.ts";
import { labelSchema, stripSchema } from "./clean-up-schema.ts";
import { methodsSchema } from "./methods-schema.ts";
import { nextHopHealthSchema, nextHopSchema } from "./next-hop.ts";
import { pointCodeSchema } from "./point-code.ts";
import { rulesSchema } from "./rule-options.ts";
import {
  areaCodeSchema,
  dateSchema,
  idSchema,
  networkSchema,
  pathSchema,
  portSchema,
  tableSizeSchema,
  textSchema,
  tlsNameSchema,
} from "../yaml/schema-parts.ts";

/** Reasons that never refuse a call of a trunk, so that no status can stand for them. */
const withoutStatus: readonly ReasonCode[] = ["source-unknown", "emergency", "listed", "default"];
const refusals = reasonCodes.filter((code) => !withoutStatus.includes(code));

const matchSchema = z
  .strictObject({
    addresses: z.array(networkSchema).min(1).describe("Source addresses or blocks; the longest prefix wins."),
    ports: z.array(portSchema).min(1).exactOptional().describe("Source ports; any when left out."),
    listener: textSchema
      .exactOptional()
      .describe("One of `listen` in sigwall.yaml, written alike; any when left out."),
    tlsName: tlsNameSchema.exactOptional(),
    opc: z
      .array(pointCodeSchema)
      .min(1)
      .max(64)
      .exactOptional()
      .describe("SS7 only: originating point codes; any when left out."),
    dpc: z
      .array(pointCodeSchema)
      .min(1)
      .max(64)
      .exactOptional()
      .describe("SS7 only: destination point codes; any when left out."),
  })
  .describe("Which messages come from this trunk; the most specific match wins.");

const limitsSchema = z.strictObject({
  callsPerSecond: z
    .number()
    .positive()
    .max(1_000_000)
    .exactOptional()
    .describe("Calls a second that may pass; one second's worth may come at once."),
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
    .describe("MESSAGE requests a second that may pass; they cost no call."),
  attemptsPerSecond: z
    .number()
    .positive()
    .max(1_000_000)
    .exactOptional()
    .describe(
      "New calls that are judged in a second; those beyond are answered 503 unread, emergency calls apart.",
    ),
  share: z
    .number()
    .positive()
    .max(1_000_000)
    .exactOptional()
    .describe("Weight of the trunk when an overloaded filter divides what it can do. Default: 1."),
  channels: z.int().min(1).max(1_000_000).exactOptional().describe("Calls at one time. Not enforced yet."),
});

/** One trunk of `policy.yaml`. */
export const trunkSchema = z.strictObject({
  id: idSchema,
  side: z
    .enum(["lessee", "national", "international", "core"])
    .describe("Whom the trunk connects to. `core` is our own network: trusted, not screened."),
  match: matchSchema,
  lessee: idSchema.exactOptional().describe("Whose numbers may call (side: lessee)."),
  areaCode: areaCodeSchema.exactOptional(),
  nextHops: z
    .array(nextHopSchema)
    .min(1)
    .exactOptional()
    .describe("Where accepted calls go; nothing in a message ever chooses the target."),
  failoverOn503: z.boolean().exactOptional().describe("Over that of `nextHopHealth`."),
  passThrough503: z.boolean().exactOptional().describe("Over that of `nextHopHealth`."),
  default: z
    .enum(["accept", "reject"])
    .exactOptional()
    .describe("When no rule decided. Default: reject on a lessee trunk, accept on others."),
  exception: z
    .enum(["accept", "reject", "drop"])
    .default("reject")
    .describe("When our own code fails or a table is full."),
  status: z
    .partialRecord(z.enum(refusals), z.int().min(400).max(699))
    .exactOptional()
    .describe("SIP status by reason code, over the built-in ones."),
  rules: rulesSchema
    .exactOptional()
    .describe("Modes and options of rules on this trunk, over the global ones."),
  limits: limitsSchema.exactOptional(),
  identity: z
    .enum(["all", "presented", "pai-first"])
    .default("all")
    .describe(
      "Which asserted callers must pass: every one, From only, or the first of PAI, RPID, PPI, From.",
    ),
  mustAgree: z
    .array(z.enum(["pai", "rpid", "isup"]))
    .default(["pai", "rpid", "isup"])
    .describe("Fields whose numbers must be the same."),
  mode: z
    .enum(["proxy", "redirect"])
    .default("proxy")
    .describe("redirect: an accepted call is answered 302 with the next hop; refusals are the same."),
  methods: methodsSchema.exactOptional(),
  strip: stripSchema.exactOptional(),
  stripVerstat: z
    .boolean()
    .default(false)
    .describe(
      "Remove the parameter verstat from every asserted caller: a peer's word for its own verification.",
    ),
  label: labelSchema.exactOptional(),
  dropAs: z
    .int()
    .min(400)
    .max(699)
    .exactOptional()
    .describe("Status where an engine can't be silent: drachtio can't, embedded can."),
  tcpAbove: z
    .int()
    .min(200)
    .max(65_507)
    .exactOptional()
    .describe(
      "Octets above which a request to a UDP next hop goes to the same address and port by TCP (RFC 3261 section 18.1.1).",
    ),
  phoneContexts: z
    .array(textSchema)
    .default([])
    .describe("Domains accepted as phone-context of local numbers (RFC 3966 section 5.1.5)."),
  bareForm: z
    .enum(["auto", "national", "local", "e164", "reject"])
    .default("auto")
    .describe("How a number without + or prefix is read; auto: the first reading that fits."),
  isupVersions: z
    .record(textSchema, z.enum(["itu", "ansi"]))
    .exactOptional()
    .describe("Layout of ISUP bodies by a `version` that no standard names."),
  tolerateTrunkZero: z.boolean().default(false).describe("Accept the trunk prefix kept behind +86 (+86 0…)."),
  stripTrailingST: z.boolean().default(false).describe("Accept one F or # at the end of a SIP number."),
});

/** A trunk as it is written, with its defaults; `rules` without them, because global options go under the trunk's words. */
export type TrunkEntry = Omit<z.output<typeof trunkSchema>, "rules"> & { readonly rules: unknown };

/** One lessee of `policy.yaml`. */
export const lesseeSchema = z.strictObject({
  id: idSchema,
  name: textSchema.exactOptional(),
  contract: textSchema.exactOptional().describe("Reference of the contract."),
  numbers: pathSchema.describe("CSV list of the lessee's numbers; a relative path starts at this file."),
});
export type LesseeEntry = z.output<typeof lesseeSchema>;

/** One deny list of `policy.yaml`. */
export const listSchema = z.strictObject({
  file: pathSchema.describe("CSV list; a relative path starts at this file."),
  kind: z.enum(["police", "deny"]).describe("Decides the reason: police-listed or denylisted."),
});
export type PolicyList = z.output<typeof listSchema>;

/** One number for which named rules are switched off on a trunk. */
export const specialUserSchema = z.strictObject({
  trunk: idSchema,
  number: textSchema.describe("The calling number, written as in a list."),
  allow: z
    .array(z.enum(["hidden"]))
    .min(1)
    .describe("Names of what is switched off."),
  until: dateSchema.describe("Last day on which the exemption holds."),
  reason: textSchema.describe("Who approved it, and why."),
});
export type SpecialUserEntry = z.output<typeof specialUserSchema>;

/** Capacity of the bounded tables. */
export const tablesSchema = z
  .strictObject({
    ledger: tableSizeSchema
      .default(262_144)
      .describe("Decisions kept for 32 s, so that a repeat gets the same answer."),
    callers: tableSizeSchema.default(262_144).describe("Calling numbers whose attempts are counted."),
    recentCalls: tableSizeSchema.default(262_144).describe("Calls that may repeat without spending a token."),
    sources: tableSizeSchema.default(4096).describe("Sources whose trunk is remembered."),
    failovers: tableSizeSchema
      .default(65_536)
      .describe("Calls on trunks with several next hops that may still go to another one."),
    circuits: tableSizeSchema
      .default(65_536)
      .describe("Circuits of SS7 with a call or a refusal under way (engine m3ua)."),
    transactions: tableSizeSchema
      .default(32_768)
      .describe("Requests between a TCP or TLS side and a UDP side that may have to be repeated, for 32 s."),
  })
  .describe("Sizes in entries. A full table makes `exception` apply.");

/** When the filter protects itself. */
export const overloadSchema = z
  .strictObject({
    mode: z
      .enum(["enforce", "off"])
      .default("enforce")
      .describe("`off`: every new call is judged, however late."),
    busyRatio: z
      .number()
      .min(0.1)
      .max(0.99)
      .default(0.85)
      .describe("Share of the time in which the call thread may be at work before new calls are shed."),
    lateMilliseconds: z
      .number()
      .min(1)
      .max(10_000)
      .default(50)
      .describe("How long what is due may wait for the call thread."),
    retryAfterSeconds: z
      .int()
      .min(1)
      .max(3600)
      .exactOptional()
      .describe(
        "Retry-After of the 503; none when left out, since it silences the whole peer (RFC 3261 section 21.5.4).",
      ),
  })
  .describe("New calls beyond what the filter can do are answered 503, before anything in progress suffers.");

/** The home plan and the time zone. */
export const homeSchema = z.strictObject({
  country: z
    .string()
    .refine((code) => code === "86", { error: 'the built-in dial plan is that of country "86"' })
    .default("86")
    .describe("Country code of the home network."),
});
export const timeZoneSchema = z
  .string()
  .refine(isTimeZone, { error: 'not a time zone; expected a name like "Asia/Shanghai"' })
  .default("Asia/Shanghai")
  .describe("Time zone of all dates in this file and in the lists.");

/** The whole of `policy.yaml`. */
export const policySchema = z.strictObject({
  version: z.literal(1),
  home: homeSchema.exactOptional(),
  timeZone: timeZoneSchema,
  trunks: z.array(trunkSchema).min(1),
  lessees: z.array(lesseeSchema).default([]),
  lists: z.record(idSchema, listSchema).default({}),
  specialUsers: z.array(specialUserSchema).default([]),
  rules: rulesSchema.exactOptional(),
  nextHopHealth: nextHopHealthSchema.exactOptional(),
  tables: tablesSchema.exactOptional(),
  overload: overloadSchema.exactOptional(),
});

/** The shape of `policy.yaml` as JSON Schema, as editors want it: draft 7 is what they all understand. */
export const policyJsonSchema: JsonSchema = {
  title: "policy.yaml",
  ...z.toJSONSchema(policySchema, { io: "input", target: "draft-7" }),
};
