import t from "tap";
import type { Trunk } from "../../src/domain/trunk.ts";
import { possibleDecisions } from "../../src/screening/chain/possible-decisions.ts";
import { compileScreen, type ChainConfig } from "../../src/screening/chain/screen.ts";
import { makeChain, makeTables, makeTrunk } from "../support/attempt.ts";

/** Needs no rule, on every trunk. */
const always = [
  "reject rule-fault by exception",
  "reject message-malformed by protocol",
  "reject isup-undecodable by protocol",
  "reject routing-refused by protocol",
  "reject overload by protocol",
];

const rows: readonly {
  readonly name: string;
  readonly trunk?: Partial<Trunk>;
  readonly chain?: Partial<ChainConfig>;
  readonly has: readonly string[];
  readonly hasNot?: readonly string[];
}[] = [
  {
    name: "lessee",
    has: [
      "accept listed by default",
      "accept emergency by emergency",
      "reject cli-hidden by hidden-caller",
      "reject cli-not-listed by caller-authentication",
      "reject cli-expired by caller-authentication",
    ],
    hasNot: [
      "accept default by default",
      "reject home-cli-from-abroad by home-cli-from-abroad",
      "reject call-rate-exceeded by call-rate",
    ],
  },
  {
    name: "lessee with a limit",
    trunk: { limits: { callsPerSecond: 5 } },
    has: ["reject call-rate-exceeded by call-rate"],
    hasNot: ["reject frequency-exceeded by call-frequency"],
  },
  {
    name: "international",
    trunk: { side: "international" },
    has: ["accept default by default", "reject home-cli-from-abroad by home-cli-from-abroad"],
    hasNot: ["accept emergency by emergency", "reject cli-expired by caller-authentication"],
  },
  {
    name: "international, refused by default",
    trunk: { side: "international", fallback: "reject" },
    has: ["reject cli-not-listed by default"],
    hasNot: ["accept default by default"],
  },
  {
    name: "national: codes of authorities are noted",
    trunk: { side: "national" },
    has: ["reject number-class by number-class", "reject number-class by number-class, monitored"],
  },
  {
    name: "international: bare numbers that are accepted are noted",
    trunk: { side: "international" },
    chain: { "home-cli-from-abroad": { mode: "enforce", options: { bareAmbiguous: "accept" } } },
    has: ["reject home-cli-from-abroad by home-cli-from-abroad, monitored"],
    hasNot: ["reject number-class by number-class, monitored"],
  },
  {
    name: "a rule in monitor",
    chain: { "hidden-caller": { mode: "monitor", options: {} } },
    has: ["reject cli-hidden by hidden-caller, monitored"],
    hasNot: ["reject cli-hidden by hidden-caller"],
  },
  {
    name: "a rule that is off",
    chain: { "hidden-caller": { mode: "off", options: {} } },
    has: [],
    hasNot: ["reject cli-hidden by hidden-caller", "reject cli-hidden by hidden-caller, monitored"],
  },
  {
    name: "an exemption in monitor finds nothing",
    chain: { emergency: { mode: "monitor", options: {} } },
    has: [],
    hasNot: ["accept emergency by emergency", "accept emergency by emergency, monitored"],
  },
];

function say(trunk: Trunk, chain: Partial<ChainConfig> = {}): readonly string[] {
  const screen = compileScreen(makeChain(chain), makeTables(trunk), "r1");
  return possibleDecisions(screen).map(
    ({ verdict, reason, rule, isMonitored }) =>
      `${verdict} ${reason} by ${rule}${isMonitored ? ", monitored" : ""}`,
  );
}

void t.test("what calls of a trunk may meet", (t) => {
  for (const { name, trunk, chain, has, hasNot = [] } of rows) {
    const said = say(makeTrunk(trunk), chain);
    t.equal(new Set(said).size, said.length, `${name}: each once`);
    for (const line of [...always, ...has]) t.ok(said.includes(line), `${name}: ${line}`);
    for (const line of hasNot) t.notOk(said.includes(line), `${name}: not ${line}`);
  }
  t.same(
    say(makeTrunk({ side: "core" })),
    ["accept default by default", ...always],
    "the core is not screened",
  );
  t.ok(
    say(makeTrunk({ exception: "drop" })).includes("drop rule-fault by exception"),
    "by the exception policy",
  );
  t.end();
});
