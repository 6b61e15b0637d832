import { Buffer } from "node:buffer";
import t from "tap";
import { compileScreen } from "../../src/screening/chain/screen.ts";
import {
  makeAttempt,
  makeChain,
  makeState,
  makeTables,
  makeTrunk,
  type AttemptSpec,
} from "../support/attempt.ts";
import { findMisleadingName } from "../../src/screening/shown-name.ts";
import { testRule, type Row } from "../support/rule-table.ts";
import type { Trunk } from "../../src/domain/trunk.ts";
import type { Decision } from "../../src/domain/decision.ts";

const own = "+861087654321";
const misleads = "reject display-name-misleading";

/** A call of the listed number with this display name. */
function named(display: string, says: string, rest: Partial<Row> = {}): Row {
  return {
    name: display,
    calling: [`from "${display}" ${own}`],
    options: { action: "reject" },
    says,
    ...rest,
  };
}

testRule("display-name", [
  { name: "no display name", options: { action: "reject" }, says: "abstains" },
  named("", "abstains", { name: "an empty one" }),
  named("Jinghua Bank", "abstains"),
  named("京华银行", "abstains"),

  // The caller's own number, in whatever spelling.
  named("+861087654321", "abstains"),
  named("+86 10 8765 4321", "abstains"),
  named("Bank (010) 8765-4321", "abstains"),
  named("87654321", "abstains"),
  named("1087654321", "abstains"),
  named("１０８７６５４３２１", "abstains"),

  // Another number.
  named("+861087654322", misleads),
  named("010-8765-4322", misleads),
  named("Bank 01087654322", misleads),
  named("0 1 0 8 7 6 5 4 3 2 2", misleads),
  named("13912345678", misleads),
  named("+442079460000", misleads),
  named("442079460000", misleads, { name: "442079460000: read behind a plus that isn't there" }),
  named("+86 10 8765\\4322", misleads, { name: "a quoted pair is the character behind its backslash" }),
  named("٠١٠٨٧٦٥٤٣٢٢", misleads, { name: "Arabic-Indic digits" }),
  named("０１０８７６５４３２２", misleads, { name: "fullwidth digits" }),
  named("010\u20138765\u20134322", misleads, { name: "with dashes of Unicode" }),
  named("Bank 2024", "abstains", { name: "four digits that are no code" }),
  named("Order 123456", "abstains", { name: "six digits that are no code" }),
  named("ref 99999999999999999999999", "abstains", { name: "more digits than any number has" }),

  // Short codes.
  named("95588", misleads),
  named("ICBC 95588", misleads),
  named("9-5-5-8-8", misleads),
  named("9x5x5x8x8", misleads, { name: "all digits together" }),
  named("110", misleads),
  named("Police110", misleads),
  named("+8610 110", misleads),
  named("９５５８８", misleads, { name: "95588, fullwidth" }),
  named("9558", "abstains", { name: "9558 is no code" }),
  named("Room 301", "abstains"),
  named("24/7", "abstains"),
  named("95588", "abstains", {
    name: "95588 calls itself 95588",
    calling: ['from "95588" 95588'],
  }),
  named("95588", misleads, {
    name: "95599 calls itself 95588",
    calling: ['from "95588" 95599'],
  }),
  named("4008208820", misleads),

  // Words for a hidden caller.
  named("Private", misleads),
  named("PRIVATE NUMBER", misleads),
  named("<unknown>", misleads),
  named("Unknown Caller", misleads),
  named("No Caller ID", misleads),
  named("Ｐｒｉｖａｔｅ", misleads, { name: "fullwidth letters" }),
  named("未知号码", misleads),
  named("匿名", misleads),
  named("Private Bank", "abstains"),
  named("Hidden Valley Ltd", "abstains"),
  named("Caller", "abstains"),
  named("未知科技", "abstains"),
  named("Blocked Drains 24", "abstains"),

  // Digits of other scripts and styles.
  ...[
    ["superscript", "⁹⁵⁵⁸⁸"],
    ["subscript", "₉₅₅₈₈"],
    ["circled", "⑨⑤⑤⑧⑧"],
    ["negative circled", "❾❺❺❽❽"],
    ["sans-serif circled", "➈➄➄➇➇"],
    ["double circled", "⓽⓹⓹⓼⓼"],
    ["in parentheses", "⑼⑸⑸⑻⑻"],
    ["with full stops", "⒐⒌⒌⒏⒏"],
    ["mathematical bold", "𝟗𝟓𝟓𝟖𝟖"],
    ["mathematical monospace", "𝟿𝟻𝟻𝟾𝟾"],
    ["segmented", "🯹🯵🯵🯸🯸"],
    ["keycaps", "9️⃣5️⃣5️⃣8️⃣8️⃣"],
    ["Persian", "۹۵۵۸۸"],
    ["Devanagari", "९५५८८"],
    ["Bengali", "৯৫৫৮৮"],
    ["Thai", "๙๕๕๘๘"],
    ["Myanmar Shan", "႙႕႕႘႘"],
    ["Adlam", "𞥙𞥕𞥕𞥘𞥘"],
    ["Chinese", "九五五八八"],
    ["Chinese of accounts", "玖伍伍捌捌"],
    ["Chinese, with a prefix", "客服九五五八八"],
    ["mixed", "９۵⑤𝟖八"],
    ["zero by circles", "❶❶⓿"],
    ["Chinese 110", "幺幺零"],
    ["Chinese of merchants", "〩〥〥〨〨"],
    ["Chinese, circles for zeros", "一○○八六"],
    ["large circles for zeros", "1◯◯86"],
    ["Greek theta for zero", "1θΘ86"],
    ["empty set for zero", "1∅∅86"],
  ].map(([style, name]) => named(name!, misleads, { name: `digits: ${style}` })),
  named("٠١٠٨٧٦٥٤٣٢١", "abstains", { name: "the caller's own number in Arabic-Indic digits" }),
  named("①⓪⑧⑦⑥⑤④③②①", "abstains", { name: "the caller's own number in circles" }),
  named("三一重工", "abstains", { name: "a company with numerals" }),
  named("九五", "abstains", { name: "two numerals" }),
  named("张○○", "abstains", { name: "a name with two circles" }),
  named("Θεός", "abstains", { name: "a Greek word" }),
  named("❾❺❺❽", "abstains", { name: "four circles that are no code" }),

  // Invisible characters.
  ...[
    ["zero-width space", "\u200b"],
    ["zero-width joiner", "\u200d"],
    ["word joiner", "\u2060"],
    ["soft hyphen", "\u00ad"],
    ["byte order mark", "\ufeff"],
    ["left-to-right embedding", "\u202a"],
    ["isolate", "\u2066"],
    ["variation selector", "\ufe0f"],
    ["variation selector 17", "\u{e0100}"],
    ["tag", "\u{e0041}"],
    ["combining long stroke", "\u0336"],
    ["combining grapheme joiner", "\u034f"],
    ["Hangul filler", "\u3164"],
    ["Mongolian vowel separator", "\u180e"],
    ["braille blank", "\u2800"],
    ["ideographic space", "\u3000"],
    ["middle dot", "\u00b7"],
    ["bullet", "\u2022"],
    ["ideographic full stop", "\u3002"],
  ].flatMap(([what, char]): Row[] => [
    named(`9${char}5${char}5${char}8${char}8`, misleads, { name: `${what} in a code` }),
    named(`Pri${char}vate`, misleads, { name: `${what} in a word` }),
    named(`未${char}知`, misleads, { name: `${what} in a Chinese word` }),
    named(`Jing${char}hua`, "abstains", { name: `${what} in another name` }),
    named(`+86${char}1087654321`, "abstains", { name: `${what} in the caller's own number` }),
  ]),

  // Signs that turn text around.
  named("\u202e88559", misleads, { name: "a code behind a right-to-left override" }),
  named("9\u202e8855\u202c", misleads, { name: "a code, its end behind the override" }),
  named("\u202eetavirP", misleads, { name: "a word behind a right-to-left override" }),
  named("\u202b588 95", misleads, { name: "groups in a right-to-left embedding" }),
  named("\u2067588 95", misleads, { name: "groups in a right-to-left isolate" }),
  named("\u202a+861087654321\u202c", "abstains", {
    name: "the caller's own number in a left-to-right embedding",
  }),
  named("\u2066Jinghua\u2069", "abstains", { name: "a left-to-right isolate" }),

  // The last octet is a space of latin1.
  named("𝟡𝟝𝟝𝟠𝟠", misleads, { name: "a code whose last octet is 0xA0" }),
  named("９５５８８\u00a0", misleads, { name: "a code and a no-break space" }),
  named("匿名\u00a0", misleads, { name: "a word and a no-break space" }),
  named("京华\u00a0", "abstains", { name: "a name and a no-break space" }),

  // Letters that look like digits.
  named("1З912345678", misleads, { name: "Cyrillic З in a number" }),
  named("139б2345678", misleads, { name: "Cyrillic б in a number" }),
  named("955ß8", misleads, { name: "ß in a code" }),
  named("1ⲞⲞ86", misleads, { name: "Coptic O in a code" }),
  named("Straße 12", "abstains"),
  named("Чай 24", "abstains"),
  named("O1O-8765-4322", misleads),
  named("0lO 8765 4322", misleads),
  named("Tel O1O87654322", misleads),
  named("TelO1087654322", misleads),
  named("955B8", misleads),
  named("95S88", misleads),
  named("1lO", misleads),
  named("l39l2345678", misleads),
  named("О1О87654322", misleads, { name: "Cyrillic О" }),
  named("O1O-8765-432l", "abstains", { name: "the caller's own number" }),
  named("B2B Sales", "abstains"),
  named("Lol", "abstains"),
  named("Oil 10", "abstains"),
  named("5 Bills", "abstains"),

  // Words for a hidden caller in other letters.
  named("Аnonymous", misleads, { name: "Cyrillic А" }),
  named("Рrіvаtе", misleads, { name: "Cyrillic Р, і, а, е" }),
  named("ΑΝΟΝΥΜΟUS", misleads, { name: "Greek capitals" }),
  named("ᴀɴᴏɴʏᴍᴏᴜs", misleads, { name: "small capitals" }),
  named("𝓟𝓻𝓲𝓿𝓪𝓽𝓮", misleads, { name: "mathematical script" }),
  named("🅟🅡🅘🅥🅐🅣🅔", misleads, { name: "circled letters" }),
  named("Ánönymøus", misleads, { name: "with accents" }),
  named("P r i v a t e", misleads),
  named("An0nym0us", misleads),
  named("Pr1vate Number", misleads),
  named("Nu11", misleads),
  named("H!dden", misleads),
  named("未知號碼", misleads),
  named("匿 名", misleads),
  named("%50rivate", misleads, { name: "a percent escape" }),
  named("%39%35588", misleads, { name: "percent escapes in a code" }),
  named("%EF%BC%99５５８８", misleads, { name: "percent escapes of a fullwidth digit" }),
  named("100% Bank", "abstains"),
  named("Приват Банк", "abstains"),
  named("Ανώνυμη Εταιρεία", "abstains"),
  named("Prívate Bánk", "abstains"),
  named("An0nymous Ltd", "abstains"),

  named(`A${"a".repeat(256)}`, misleads, { name: "too long to be read" }),
  named(`A${"a".repeat(250)}`, "abstains", { name: "long" }),

  // Every field is shown somewhere.
  ...(["pai", "ppi", "rpid"] as const).map((field) =>
    named("95588", misleads, { name: `in ${field}`, calling: [`${field} "95588" ${own}`, `from ${own}`] }),
  ),
  named("87654321", misleads, {
    name: "a bare number on a trunk without area code is some other area's, or nobody's",
    trunk: { side: "international" },
    calling: ['from "01087654321" +442079460000'],
  }),
  named("442079460000", "abstains", {
    name: "a foreign caller's own number without plus",
    trunk: { side: "international" },
    calling: ['from "442079460000" +442079460000'],
  }),
]);

/** The octets of a text in UTF-8, as latin1. */
function utf8(text: string): string {
  return Buffer.from(text).toString("latin1");
}

void t.test(
  "display-name: octets that are no UTF-8 are read as latin1, as UTF-8 with faults, and as GBK",
  (t) => {
    const rows: readonly (readonly [what: string, octets: string, shows: string | undefined])[] = [
      ["fullwidth 95588", "\xa3\xb9\xa3\xb5\xa3\xb5\xa3\xb8\xa3\xb8", "short-code"],
      ["匿名", "\xc4\xe4\xc3\xfb", "hidden-word"],
      ["未知号码", "\xce\xb4\xd6\xaa\xba\xc5\xc2\xeb", "hidden-word"],
      ["九五五八八", "\xbe\xc5\xce\xe5\xce\xe5\xb0\xcb\xb0\xcb", "short-code"],
      ["95588 between Chinese characters", "\xb9\xa495588\xd0\xd0", "short-code"],
      ["京华银行", "\xbe\xa9\xbb\xaa\xd2\xf8\xd0\xd0", undefined],
      ["a character that ends in a backslash", "\xd5\x5c", undefined],
      ["latin1", "M\xfcller", undefined],
      ...["\xff", "\x80", "\xc3", "\xf0\x9f"].flatMap((wrong) => {
        const octets = Buffer.from(wrong, "latin1").toString("hex");
        return [
          [`９５５８８ in UTF-8 and ${octets}`, utf8("９５５８８") + wrong, "short-code"],
          [`${octets} inside of ９５５８８`, utf8("９５") + wrong + utf8("５８８"), "short-code"],
          [`匿名 in UTF-8 and ${octets}`, utf8("匿名") + wrong, "hidden-word"],
          [`京华银行 in UTF-8 and ${octets}`, utf8("京华银行") + wrong, undefined],
          [`the caller's own number and ${octets}`, utf8("+86１０８７６５４３２１") + wrong, undefined],
        ] as const;
      }),
    ];
    for (const [what, display, shows] of rows) {
      const trunk = makeTrunk();
      const attempt = makeAttempt(trunk, { calling: [`from ${own}`] });
      const calling = attempt.calling.map((identity) => ({ ...identity, display: `"${display}"` }));
      t.equal(findMisleadingName({ ...attempt, calling })?.shows, shows, what);
    }
    t.end();
  },
);

/** The decision about a call on a trunk with every rule on, and this one in `mode`. */
function judge(given: Partial<Trunk>, spec: AttemptSpec, mode: "enforce" | "monitor" = "enforce"): Decision {
  const trunk = makeTrunk(given);
  const chain = makeChain({ "display-name": { mode, options: {} } });
  return compileScreen(chain, makeTables(trunk), "r1").judge(makeAttempt(trunk, spec), makeState());
}

void t.test("display-name: by default the name goes and the call goes on", (t) => {
  const spoofed: AttemptSpec = { calling: [`from "95588" ${own}`] };
  const stripped = judge({}, spoofed);
  t.match(stripped, {
    verdict: { kind: "accept", reason: "listed" },
    marks: [
      { kind: "strip", reason: "display-name-misleading", facts: { field: "from", shows: "short-code" } },
    ],
  });
  t.match(judge({}, { calling: [`from "Bank" ${own}`] }).marks, []);
  t.match(
    judge({}, { calling: ['from "95588" +861087654400'] }).verdict,
    { kind: "reject", reason: "cli-not-listed" },
    "a stripped name cures nothing",
  );
  t.match(judge({}, spoofed, "monitor"), {
    verdict: { kind: "accept" },
    marks: [],
    shadow: [{ rule: "display-name", verdict: { kind: "strip" } }],
  });
  t.match(
    judge({ mode: "redirect" }, spoofed),
    { verdict: { kind: "reject", reason: "display-name-misleading" }, rule: "display-name" },
    "who is redirected sends the name itself",
  );
  t.end();
});

/** A call of the listed number over ISUP with these names. */
function shown(names: readonly string[], says: string, rest: Partial<Row> = {}): Row {
  return {
    name: names.join(", "),
    calling: [`isup ${own}`],
    names,
    options: { action: "reject" },
    says,
    ...rest,
  };
}

testRule("display-name", [
  shown(["generic JINGHUA BANK"], "abstains"),
  shown(["display JINGHUA BANK"], "abstains"),
  shown(["generic BANK 95588"], misleads),
  shown(["display BANK 95588"], misleads),
  shown(["generic BANK 955880123"], misleads),
  shown(["generic 01087654321"], "abstains", { name: "the caller's own number" }),
  shown(["generic PRIVATE"], misleads),
  shown(["display UNKNOWN"], misleads),
  // A name that is withheld may say so, but shows no number all the same: some exchanges read characters alone.
  shown(["generic PRIVATE!"], "abstains"),
  shown(["generic UNKNOWN?"], "abstains"),
  shown(["generic BANK 95588!"], misleads),
  shown(["generic BANK 95588?"], misleads),
  shown(["generic BANK", "display BANK 95588"], misleads, { name: "the second one" }),
  shown(["display 工商银行 95588"], misleads),
  shown([`display ${"A".repeat(255)}`], "abstains"),
]);

void t.test("ISUP: what is told names the parameter, and repeats nothing of it", (t) => {
  const trunk = makeTrunk();
  const attempt = makeAttempt(trunk, {
    calling: [`from "95588" ${own}`],
    names: ["generic BANK", "display BANK 95588"],
  });
  t.same(findMisleadingName(attempt), {
    field: "isup-display-information",
    shows: "short-code",
    name: "bank 95588",
  });
  const screen = compileScreen(makeChain(), makeTables(trunk), "r1");
  const { marks } = screen.judge(attempt, makeState());
  t.same(
    marks.map(({ facts }) => facts),
    [{ field: "isup-display-information", shows: "short-code" }],
    "before a name in SIP, which can be removed",
  );
  t.end();
});
