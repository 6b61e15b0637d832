import { Buffer } from "node:buffer";
import { PrivacyFlag, type CallAttempt } from "../../src/domain/attempt.ts";
import type { AssertedIdentity, IdentitySource, Presentation, ShownName } from "../../src/domain/identity.ts";
import { ordinaryMethods } from "../../src/domain/method.ts";
import type { PartyNumber } from "../../src/domain/number.ts";
import type { RuleMode } from "../../src/domain/rule-id.ts";
import type { Trunk } from "../../src/domain/trunk.ts";
import { createDialPlan } from "../../src/numbering/dial-plan.ts";
import { readCalledNumber, readListNumber, readSipNumber } from "../../src/numbering/e164.ts";
import { readListEntry } from "../../src/numbering/list-entry.ts";
import { createNumberSetBuilder, type NumberRow } from "../../src/numbering/number-set-builder.ts";
import { stepsOf } from "../../src/numbering/lists/score.ts";
import type {
  DenyList,
  NumberList,
  PolicyTables,
  ScoreBand,
  ScoreList,
  SpecialUser,
} from "../../src/screening/rule.ts";
import type { ChainConfig } from "../../src/screening/chain/screen.ts";
import { createScreeningState, type ScreeningState } from "../../src/screening/state.ts";

/** The moment at which the calls of these tests are made: 2026-10-03 08:15 in Shanghai. */
export const NOW = Date.UTC(2026, 9, 3, 0, 15);
export const DAY = 86_400_000;

/** A trunk of a lessee in Beijing, as the policy's defaults make it. */
export function makeTrunk(given: Partial<Trunk> = {}): Trunk {
  const side = given.side ?? "lessee";
  return {
    id: "trunk-1",
    index: 0,
    side,
    lessee: side === "lessee" ? "acme" : undefined,
    dialPlan: createDialPlan({
      international: side === "international",
      homeArea: side === "international" ? undefined : "10",
    }),
    nextHops: [],
    ownNames: [],
    failoverOn503: true,
    passThrough503: true,
    fallback: side === "lessee" ? "reject" : "accept",
    exception: "reject",
    status: new Map(),
    identity: "all",
    mustAgree: ["pai", "rpid", "isup"],
    limits: {},
    mode: "proxy",
    methods: ordinaryMethods,
    cleanUp: undefined,
    label: { text: "", displayName: "" },
    isupVersions: new Map(),
    bodies: new Set(),
    ss7: { originatingPointCodes: undefined, serviceIndicators: new Set([5, 13]) },
    longestCall: 43_200_000,
    ...given,
  };
}

/** A list made of rows as in CSV: line 2 is the first row. */
export function makeList(
  id: string,
  rows: readonly (string | ({ readonly number: string } & Partial<NumberRow>))[],
): NumberList {
  const builder = createNumberSetBuilder(
    rows.some((row) => typeof row !== "string" && row.mark !== undefined),
  );
  rows.forEach((row, index) => {
    const { number, ...attributes } = typeof row === "string" ? { number: row } : row;
    const entry = readListEntry(number);
    if (typeof entry === "string") throw new Error(entry);
    builder.add(entry, { mayForward: false, ...attributes, line: index + 2 });
  });
  return { id, file: `lists/${id}.csv`, numbers: builder.build() };
}

/** The lessee's list of most tests. */
export const acmeNumbers = makeList("acme", [
  "+861087654300..+861087654399",
  { number: "+861088881234", mayForward: true },
  "+8610699900*",
  "95588",
  { number: "+861055550001", validTo: NOW },
  { number: "+861055550002", validFrom: NOW + 1 },
  { number: "+861055550003", verifiedOn: NOW - 30 * DAY },
  { number: "+861055550004", mayForward: true, validTo: NOW },
  "4008208820",
]);

/** A deny list of these numbers. */
export function makeDenyList(
  kind: DenyList["kind"],
  id: string,
  rows: Parameters<typeof makeList>[1],
): DenyList {
  return { ...makeList(id, rows), kind };
}

/** A score list of these numbers, each with its score. Bands are given the highest first. */
export function makeScoreList(
  id: string,
  rows: readonly (readonly [number: string, score: number, attributes?: Partial<NumberRow>])[],
  bands: readonly (readonly [from: number, deed: ScoreBand["do"]])[],
): ScoreList {
  const marked = rows.map(([number, score, attributes]) => ({ number, mark: stepsOf(score), ...attributes }));
  return { ...makeList(id, marked), bands: bands.map(([from, deed]) => ({ from: stepsOf(from), do: deed })) };
}

/** A special user allowed to hide. */
export function makeSpecialUser(number: string, until: number = NOW + DAY): SpecialUser {
  const read = readListNumber(number);
  if (typeof read === "string") throw new Error(read);
  return { key: read.key, number, allow: new Set(["hidden"]), until, reason: "approval 31" };
}

/** The tables of a trunk; a lessee trunk has the list above. */
export function makeTables(trunk: Trunk, given: Partial<PolicyTables> = {}): PolicyTables {
  const lesseeNumbers = trunk.side === "lessee" ? acmeNumbers : undefined;
  return {
    trunk,
    lesseeNumbers,
    denyLists: [],
    trustedLists: [],
    scoreLists: [],
    doNotCallLists: [],
    specialUsers: [],
    lineOrders: [],
    ...given,
  };
}

/** Every rule in enforce with default options, but for what is given. */
export function makeChain(given: Partial<ChainConfig> = {}): ChainConfig {
  return { ...setEveryRule("enforce"), ...given };
}

/** Every rule in one mode, with default options. */
export function setEveryRule(mode: RuleMode): ChainConfig {
  const setting = { mode, options: {} };
  return {
    emergency: setting,
    "line-state": setting,
    "hidden-caller": setting,
    "caller-form": setting,
    bodies: setting,
    "cli-conflict": setting,
    "display-name": setting,
    "home-cli-from-abroad": setting,
    "number-class": setting,
    "diversion-licence": setting,
    "deny-lists": setting,
    "caller-authentication": setting,
    "do-not-call": setting,
    marketing: setting,
    quarantine: setting,
    "call-frequency": setting,
    "call-rate": setting,
    channels: setting,
  };
}

/** Fresh state, large enough for a test. */
export function makeState(): ScreeningState {
  return createScreeningState({ callers: 64, recentCalls: 64, subjects: 64 });
}

const sources: Readonly<Record<string, IdentitySource>> = {
  pai: "p-asserted-identity",
  ppi: "p-preferred-identity",
  rpid: "remote-party-id",
  "rpid-called": "remote-party-id",
  from: "from",
  isup: "isup-calling-party",
  generic: "isup-generic-number",
  div: "diversion",
};

const presentations: Readonly<Record<string, Presentation>> = { "!": "restricted", "?": "unavailable" };

/**
 * An identity in short: field (`rpid-called`: a Remote-Party-ID that may mean the called party), a space, a display name in quotes and a space if there is one, the user part as received; `!` at the end: restricted, `?`: unavailable.
 * A token like "anonymous" is restricted as well, `isup !` and `isup ?` have no number.
 */
export function readIdentity(text: string, trunk: Trunk): AssertedIdentity {
  const space = text.indexOf(" ");
  const source = sources[text.slice(0, space)];
  if (source === undefined) throw new Error(`no field in "${text}"`);
  const mark = presentations[text.at(-1) ?? ""];
  const rest = mark === undefined ? text.slice(space + 1) : text.slice(space + 1, -1);
  const quote = rest.startsWith('"') ? rest.lastIndexOf('"') : -1;
  const display = quote < 0 ? {} : { display: Buffer.from(rest.slice(0, quote + 1)).toString("latin1") };
  const user = quote < 0 ? rest : rest.slice(quote + 2);
  const number = readNumber(user, source, mark, trunk);
  const isToken = number.kind === "unusable" && number.why === "token";
  const party = text.startsWith("rpid-called ") ? ({ party: "called" } as const) : {};
  return { source, number, presentation: mark ?? (isToken ? "restricted" : "allowed"), ...display, ...party };
}

function readName(text: string): ShownName {
  const space = text.indexOf(" ");
  const mark = presentations[text.at(-1) ?? ""];
  return {
    source: text.slice(0, space) === "generic" ? "isup-generic-name" : "isup-display-information",
    display: Buffer.from(text.slice(space + 1, mark === undefined ? undefined : -1)).toString("latin1"),
    presentation: mark ?? "allowed",
  };
}

function readNumber(
  user: string,
  source: IdentitySource,
  mark: Presentation | undefined,
  trunk: Trunk,
): PartyNumber {
  if (source.startsWith("isup") && user === "" && mark !== undefined && mark !== "allowed")
    return { kind: "unusable", why: mark, detail: "APRI", raw: "" };
  return readSipNumber(user, trunk.dialPlan);
}

/** A call attempt in short; whatever is not given is that of a call from a listed number. */
export interface AttemptSpec {
  readonly calling?: readonly string[];
  readonly called?: string;
  readonly emergencyUrn?: boolean;
  /** Names in ISUP: `generic BANK`, `display BANK`; `!` at the end: restricted, `?`: unavailable. */
  readonly names?: readonly string[];
  readonly diversion?: readonly string[];
  readonly privacy?: readonly (keyof typeof PrivacyFlag)[];
  readonly callId?: string;
  readonly privilege?: string;
  readonly isIam?: true;
  readonly fromTag?: string;
  readonly at?: number;
}

/** Builds the attempt that a message with these fields would make on this trunk. */
export function makeAttempt(trunk: Trunk, spec: AttemptSpec = {}): CallAttempt {
  const called = spec.called ?? "02787654321";
  let privacy = 0;
  for (const value of spec.privacy ?? []) privacy |= PrivacyFlag[value];
  return {
    at: spec.at ?? NOW,
    trunk,
    origin: {
      signalling: "sip",
      transport: "udp",
      sourceAddress: "192.0.2.1",
      sourcePort: 5060,
      destinationAddress: "192.0.2.2",
      destinationPort: 5060,
    },
    calling: (spec.calling ?? ["from +861087654321"]).map((text) => readIdentity(text, trunk)),
    ...(spec.names === undefined ? {} : { names: spec.names.map(readName) }),
    called: readCalledNumber(called, trunk.dialPlan),
    emergencyUrn: spec.emergencyUrn ?? false,
    diversion: (spec.diversion ?? []).map((text) => readIdentity(text, trunk)),
    privacy,
    callId: spec.callId ?? "call-1",
    fromTag: spec.fromTag ?? "tag-1",
    requestUri: `sip:${called}@192.0.2.2`,
    ...(spec.privilege === undefined ? {} : { privilege: spec.privilege }),
    ...(spec.isIam === undefined ? {} : { isIam: spec.isIam }),
  };
}
