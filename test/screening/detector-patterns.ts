// The pattern of each detector is found, and what honest callers do is not: tables at virtual time.
import t from "tap";
import type { Trunk } from "../../src/domain/trunk.ts";
import {
  HOUR,
  MINUTE,
  SECOND,
  brief,
  busy,
  centre,
  check,
  cut,
  dead,
  dropped,
  finished,
  host,
  hungUp,
  inBlock,
  lease,
  missed,
  moment,
  network,
  other,
  overflow,
  person,
  series,
  spare,
  talk,
  type Course,
  type Played,
} from "./played-calls.ts";

const half = (index: number): Course => (index % 3 === 0 ? cut : missed);
const shuffled = (index: number): string => inBlock((index * 37) % 1000);
const course = (index: number): Course => (index % 3 === 0 ? dead : talk);
const victim = "called +8613800138000";

void t.test("call-bombing: one called party, and calls that come to nothing", (t) => {
  check(t, [
    [
      "one caller who is cut off and calls again",
      series(8, MINUTE, () => ({ ...cut })),
      [`call-bombing ${victim}`],
    ],
    [
      "many callers, each once",
      series(16, MINUTE, (i) => ({ ...half(i), caller: person(i), trunk: network })),
      [`call-bombing ${victim}`],
    ],
    [
      "callers in turn, who try again; she cuts off one",
      series(20, MINUTE, (i) => ({ ...(i === 9 ? cut : missed), caller: person(i % 4) })),
      [`call-bombing ${victim}`],
    ],
    [
      "a firm with several numbers, before she answers",
      series(20, MINUTE, (i) => ({ ...missed, caller: person(i % 4) })),
      [],
    ],
    ["one caller who insists", series(60, 2 * MINUTE, () => ({ ...missed })), []],
    [
      "a hot line, which talks",
      series(300, 10 * SECOND, (i) => ({ ...talk, caller: person(i), trunk: network })),
      [],
    ],
    [
      "a ticket rush, which is busy",
      series(300, SECOND, (i) => ({ ...busy, caller: person(i), trunk: network })),
      [],
    ],
    ["a card terminal: 14 seconds each", series(300, MINUTE, () => ({ ...brief })), []],
    ["missed calls over a week", series(60, 3 * HOUR, (i) => ({ ...missed, caller: person(i) })), []],
  ]);
});

void t.test("block-dialling: numbers that do not exist, in one block", (t) => {
  check(t, [
    [
      "number for number",
      series(12, MINUTE, (i) => ({ ...course(i), called: inBlock(i) })),
      ["block-dialling caller +861087654321 lease"],
    ],
    [
      "in any order, with other calls between",
      series(24, MINUTE, (i) => ({ ...course(i + 1), called: i % 4 === 3 ? person(i) : shuffled(i) })),
      ["block-dialling caller +861087654321 lease"],
    ],
    [
      "callers of one block take turns",
      series(12, MINUTE, (i) => ({ ...course(i), called: inBlock(i), caller: `+86108765432${i % 6}` })),
      ["block-dialling callerBlock +861087654300 lease"],
    ],
    [
      "a school that calls parents with near numbers",
      series(60, 10 * SECOND, (i) => ({ ...talk, called: shuffled(i) })),
      [],
    ],
    [
      "one number that does not exist, again and again",
      series(40, MINUTE, () => ({ ...dead, called: inBlock(7) })),
      [],
    ],
    [
      "an old list: dead numbers all over the country",
      series(60, MINUTE, (i) => ({ ...dead, called: person(i) })),
      [],
    ],
    [
      "five wrong numbers of five callers",
      series(5, MINUTE, (i) => ({ ...dead, called: inBlock(i), caller: person(i), trunk: network })),
      [],
    ],
  ]);
});

const turns = (trunks: readonly Trunk[], gap: number): readonly Played[] =>
  series(8, gap, (i) => ({ ...talk, called: person(i), trunk: trunks[i % trunks.length] ?? lease }));

void t.test("two-places: one number at two places at once", (t) => {
  check(t, [
    [
      "two lessees",
      turns([lease, other], 20 * SECOND),
      ["two-places caller +861087654321 lease", "two-places caller +861087654321 other"],
    ],
    ["one lessee with two trunks", turns([lease, spare], 20 * SECOND), []],
    ["networks that share load", turns([network, overflow], 20 * SECOND), []],
    ["a traveller, an hour later", turns([lease, other], HOUR), []],
    [
      "a platform number of two call centres",
      turns([lease, other], 20 * SECOND).map((call) => ({ ...call, caller: "95588" })),
      [],
    ],
    [
      "an exchange that forwards",
      turns([network, other], 20 * SECOND).map((call) => ({ ...call, diverted: true })),
      [],
    ],
  ]);
});

void t.test("one-ring: many parties rung for a moment", (t) => {
  const me = "caller +861087654321 lease";
  check(t, [
    [
      "a moment each",
      series(12, MINUTE, (i) => ({ ...moment, called: person(i) })),
      [`one-ring ${me}`, `short-calls ${me}`].slice(0, 1),
    ],
    [
      "numbers of one block take turns",
      series(16, MINUTE, (i) => ({ ...moment, called: person(i), caller: `+86108765432${i % 8}` })),
      ["one-ring callerBlock +861087654300 lease"],
    ],
    [
      "relatives who ring as a sign",
      series(30, 10 * MINUTE, (i) => ({ ...moment, called: person(i % 4) })),
      [],
    ],
    [
      "a taxi: answered now and then, for a few words",
      series(40, 20 * MINUTE, (i) => ({ ...(i % 3 === 0 ? brief : moment), called: person(i) })),
      [],
    ],
    ["callers who wait", series(60, MINUTE, (i) => ({ ...missed, called: person(i) })), []],
  ]);
});

void t.test("short-calls: dropped at the answer", (t) => {
  check(t, [
    [
      "each answer is dropped",
      series(12, MINUTE, (i) => ({ ...dropped, called: person(i) })),
      ["short-calls caller +861087654321 lease"],
    ],
    [
      "codes and couriers: some seconds of talk",
      series(60, MINUTE, (i) => ({ ...brief, called: person(i) })),
      [],
    ],
    [
      "a machine with a fault looks for no numbers: it bombs its receiver",
      series(60, MINUTE, () => ({ ...dropped, called: "95588" })),
      ["call-bombing called 95588"],
    ],
  ]);
});

const cold = (index: number): Course => (index % 6 === 0 ? hungUp : index % 6 === 1 ? talk : missed);

void t.test("spread: ever new parties, who hang up or do not answer", (t) => {
  const me = "spread caller +861087654321 lease";
  check(t, [
    ["cold calls", series(48, MINUTE, (i) => ({ ...cold(i), called: person(i) })), [me]],
    [
      "callers of one block take turns",
      series(60, MINUTE, (i) => ({ ...cold(i), called: person(i), caller: `+86108765432${i % 9}` })),
      ["spread callerBlock +861087654300 lease"],
    ],
    [
      "a call centre by contract",
      series(48, MINUTE, (i) => ({ ...cold(i), called: person(i), trunk: centre })),
      [],
    ],
    [
      "a platform number",
      series(48, MINUTE, (i) => ({ ...cold(i), called: person(i), caller: "95588" })),
      [],
    ],
    [
      "a notice: nobody hangs up before the end",
      series(90, MINUTE, (i) => ({ ...(i % 3 === 0 ? missed : finished), called: person(i) })),
      [],
    ],
    [
      "a firm: half of its calls are answered, and talk",
      series(90, MINUTE, (i) => ({ ...(i % 2 === 0 ? missed : talk), called: person(i) })),
      [],
    ],
    ["a survey that finds nobody at home", series(90, MINUTE, (i) => ({ ...missed, called: person(i) })), []],
    [
      "three who hang up on him in a day",
      series(24, HOUR, (i) => ({ ...cold(2 * i), called: person(i) })),
      [],
    ],
  ]);
});

const firm = (i: number): string => `+8610876543${String(20 + (i % 10)).padStart(2, "0")}`;
const guest = (i: number): string => `+8610876547${String(50 + (i % 10)).padStart(2, "0")}`;
const callsOn = (trunk: Trunk, make: (i: number) => Partial<Played>): readonly Played[] =>
  series(24, MINUTE, (i) => ({ ...talk, called: person(i), trunk, ...make(i) }));

const mixed = (i: number): Partial<Played> =>
  i % 3 === 0 ? { caller: guest(i), agent: "dialer/2" } : { caller: firm(i), agent: "pbx/4" };

void t.test("sub-lease: groups of callers with equipment of their own", (t) => {
  const found = ["sub-lease trunk lease"];
  check(t, [
    ["a firm and another business", callsOn(lease, mixed), found],
    ["a host by contract", callsOn(host, mixed), []],
    ["a call centre by contract", callsOn(centre, mixed), []],
    ["one exchange, numbers in two places", callsOn(lease, (i) => ({ ...mixed(i), agent: "pbx/4" })), []],
    [
      "telephones of several makes, numbers among each other",
      callsOn(lease, (i) => ({ caller: firm(i), agent: `phone/${i % 3}` })),
      [],
    ],
    [
      "an exchange that is replaced",
      callsOn(lease, (i) => ({ caller: firm(i), agent: i < 12 ? "pbx/4" : "pbx/5" })),
      [],
    ],
    [
      "a visitor: three calls",
      callsOn(lease, (i) =>
        i > 20 ? { caller: guest(i), agent: "dialer/2" } : { caller: firm(i), agent: "pbx/4" },
      ),
      [],
    ],
    ["another network", callsOn(network, mixed), []],
    ["no user agent told", callsOn(lease, (i) => ({ caller: i % 3 === 0 ? guest(i) : firm(i) })), []],
  ]);
});

const back = (i: number, after: number): Played => ({
  ...talk,
  at: 10 * MINUTE * i + after,
  caller: person(i),
  called: "+861087654321",
  trunk: network,
});
const backs = (after: number, caller = (i: number): number => i): readonly Played[] =>
  [1, 3, 5, 7, 9, 11, 13].map((i) => ({ ...back(i, after), caller: person(caller(i)) }));

void t.test("calls back: who was rung as a sign calls at once, and speaks against one-ring", (t) => {
  const me = "one-ring caller +861087654321 lease";
  const rings = series(16, 10 * MINUTE, (i) => ({ ...moment, called: person(i) }));
  check(t, [
    ["nobody calls", rings, [me]],
    ["every other one, within a minute", [...rings, ...backs(MINUTE)], []],
    ["every other one, after nine minutes: they were lured", [...rings, ...backs(9 * MINUTE)], [me]],
    ["others call, whom nobody rang", [...rings, ...backs(MINUTE, (i) => 100 + i)], [me]],
  ]);
});
