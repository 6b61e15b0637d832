// What becomes of each simulated call: every kind of ending, with its share.
import type { Random } from "../fuzz/random.ts";
import { place } from "./filter.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** What becomes of a call, as its two parties have it in mind. Times are in milliseconds. */
export interface Plan {
  readonly kind: string;
  readonly trunk: string;
  readonly caller: string;
  readonly called: string;
  /** The called side's place where the caller chooses it: the core does. */
  readonly goesTo?: string;
  /** From the INVITE to 180 (or 183) and from there to the final answer; undefined: it never comes. */
  readonly progress: readonly number[];
  readonly ringsAfter: number | undefined;
  readonly answersAfter: number | undefined;
  readonly status: number;
  /** Phones that answer: each with a tag of its own. */
  readonly phones: number;
  /** Session-Expires in seconds; 0: none. */
  readonly session: number;
  readonly refreshBy: "INVITE" | "UPDATE" | undefined;
  readonly refreshes: number;
  readonly talksFor: number;
  readonly bye: "caller" | "called" | "both" | "nobody";
  /** Answers to the first BYE, its repeat with credentials, and so on; 0: none ever. */
  readonly byeAnswers: readonly number[];
  /** From the first provisional answer to the CANCEL. */
  readonly cancelsAfter: number | undefined;
  /** The CANCEL crosses the 200. */
  readonly isGlare: boolean;
  readonly isCancelIgnored: boolean;
  readonly refers: boolean;
  /** What the first next hop does: 503, or an answer only when it was given up. */
  readonly firstHop: "503" | "late" | undefined;
}

const usual: Omit<Plan, "kind" | "trunk" | "caller" | "called"> = {
  progress: [100],
  ringsAfter: 800,
  answersAfter: 6000,
  status: 200,
  phones: 1,
  session: 0,
  refreshBy: undefined,
  refreshes: 0,
  talksFor: 60_000,
  bye: "caller",
  byeAnswers: [200],
  cancelsAfter: undefined,
  isGlare: false,
  isCancelIgnored: false,
  refers: false,
  firstHop: undefined,
};

type Draft = Partial<Plan>;

/** Every kind of ending, and how often it is among a thousand calls. */
const kinds: readonly (readonly [kind: string, share: number, make: (random: Random) => Draft])[] = [
  ["released by the caller", 240, () => ({})],
  ["released by the called", 160, () => ({ bye: "called" })],
  ["crossing BYEs", 30, () => ({ bye: "both" })],
  [
    "refused by the called",
    110,
    (random) => ({
      status: random.pick([404, 408, 480, 486, 488, 500, 600, 603]),
      answersAfter: random.below(9000),
    }),
  ],
  [
    "refused at once",
    20,
    (random) => ({
      ringsAfter: undefined,
      progress: [],
      answersAfter: 30,
      status: random.pick([403, 404, 503]),
    }),
  ],
  ["refused by the filter", 60, () => ({ caller: "+861087659999" })],
  ["cancelled", 70, (random) => ({ answersAfter: undefined, cancelsAfter: 500 + random.below(40_000) })],
  [
    "cancelled, no final answer",
    8,
    () => ({ answersAfter: undefined, cancelsAfter: 3000, isCancelIgnored: true }),
  ],
  [
    "CANCEL crosses the 200",
    25,
    (random) => ({ isGlare: true, answersAfter: 2000 + random.below(6000), talksFor: 300 }),
  ],
  ["forked", 35, (random) => ({ phones: 2 + random.below(3), bye: random.pick(["caller", "called"]) })],
  ["no BYE, session expires", 12, (random) => ({ bye: "nobody", session: random.pick([90, 600, 1800]) })],
  [
    "no BYE, refreshes stop",
    8,
    (random) => ({
      bye: "nobody",
      session: 600,
      refreshes: 1 + random.below(4),
      refreshBy: random.pick(["INVITE", "UPDATE"]),
    }),
  ],
  [
    "no BYE at all",
    4,
    (random) => ({ bye: "nobody", trunk: random.pick(["second", "core", "second", "lease"]) }),
  ],
  ["no final answer", 10, () => ({ answersAfter: undefined })],
  [
    "no answer of any kind",
    10,
    () => ({ trunk: "second", progress: [], ringsAfter: undefined, answersAfter: undefined }),
  ],
  [
    "a silent hop behind TCP",
    10,
    () => ({ trunk: "wired", progress: [], ringsAfter: undefined, answersAfter: undefined }),
  ],
  ["a hop that nobody reaches", 10, () => ({ trunk: "far" })],
  ["BYE answered 481", 12, () => ({ byeAnswers: [481] })],
  ["BYE answered 408", 8, () => ({ byeAnswers: [408] })],
  ["BYE never answered", 12, (random) => ({ byeAnswers: [0], bye: random.pick(["caller", "called"]) })],
  ["BYE challenged", 15, (random) => ({ byeAnswers: [random.pick([401, 407]), 200] })],
  [
    "forked, BYEs challenged",
    12,
    (random) => ({
      phones: 2 + random.below(2),
      byeAnswers: random.pick([
        [401, 200],
        [200, 407, 200],
        [401, 401, 200],
      ]),
    }),
  ],
  ["BYE challenged twice", 4, () => ({ byeAnswers: [401, 407, 200] })],
  [
    "refreshed by re-INVITE",
    20,
    (random) => ({
      session: 180,
      refreshBy: "INVITE",
      refreshes: 100,
      talksFor: MINUTE * (1 + random.below(40)),
    }),
  ],
  [
    "refreshed by UPDATE",
    15,
    (random) => ({
      session: 120,
      refreshBy: "UPDATE",
      refreshes: 100,
      talksFor: MINUTE * (1 + random.below(30)),
      bye: "called",
    }),
  ],
  ["transferred by REFER", 12, () => ({ refers: true })],
  ["503 of the first hop", 25, () => ({ trunk: "lease", firstHop: "503" })],
  ["long", 8, (random) => ({ talksFor: MINUTE * (20 + random.below(95)) })],
  ["early media", 20, (random) => ({ progress: [100, 183], ringsAfter: random.once(2) ? 1500 : undefined })],
  ["rings for long", 10, () => ({ answersAfter: 170 * SECOND })],
];

const shares = kinds.reduce((sum, [, share]) => sum + share, 0);

function kindOf(random: Random): (typeof kinds)[number] {
  let left = random.below(shares);
  for (const kind of kinds) {
    left -= kind[1];
    if (left < 0) return kind;
  }
  throw new RangeError("no kind");
}

const origins: readonly string[] = ["lease", "lease", "lease", "second", "second", "wired", "abroad", "core"];

/** Makes the plan of a call. `kind`: this one; undefined: any. */
export function makePlan(random: Random, wanted?: Draft & { readonly kind: string }): Plan {
  const [kind, , make] = wanted === undefined ? kindOf(random) : [wanted.kind, 0, () => wanted];
  const draft = make(random);
  const trunk = draft.trunk ?? random.pick(origins);
  const listed = `+8610876543${String(random.below(100)).padStart(2, "0")}`;
  const own = trunk === "abroad" ? `+4420794600${String(random.below(100)).padStart(2, "0")}` : listed;
  const isShort = kind !== "CANCEL crosses the 200";
  return {
    kind,
    ...usual,
    talksFor: isShort ? 2000 + random.below(random.once(4) ? 300_000 : 90_000) : usual.talksFor,
    ...(random.once(3) ? { session: 1800 } : {}),
    ...draft,
    trunk,
    caller:
      kind === "refused by the filter" && trunk !== "core" && trunk !== "abroad" ? "+861087659999" : own,
    called: draft.called ?? `027${String(80_000_000 + random.below(9_999_999))}`,
    ...(trunk === "core" ? { goesTo: random.pick([place.lease, place.second]) } : {}),
  };
}

export const everyKind: readonly string[] = kinds.map(([kind]) => kind);
