import t from "tap";
import { alignRows, plain, plainJson, widthOf } from "../../src/cli/asking/plain-text.ts";
import { decided, openRecords, seal, search } from "../support/records-folder.ts";

const shown: readonly (readonly [text: string, plain: string])[] = [
  ["+861087654321", "+861087654321"],
  ["京华银行 é 𝒳", "京华银行 é 𝒳"],
  ["\u001b[31mred", "\\x1b[31mred"],
  ["a\u0000b\tc\r\nd\u007f\u0085\u009b", "a\\x00b\\x09c\\x0d\\x0ad\\x7f\\x85\\x9b"],
  ["12\u202e34\u2066\u200b\u061c\u2028\ufeff\u00ad", "12\\u202e34\\u2066\\u200b\\u061c\\u2028\\ufeff\\xad"],
  ["tag \u{e0041}", "tag \\u{e0041}"],
  ["half \ud800", "half \\ud800"],
];

void t.test("plain text: what could control a terminal or turn the writing is an escape", (t) => {
  for (const [text, expected] of shown) {
    t.equal(plain(text), expected);
    const json = plainJson({ text });
    t.equal(plain(json), json, `JSON of ${expected} is plain`);
    t.same(JSON.parse(json), { text }, "and means the same");
  }
  t.same(
    alignRows([
      ["京华", "x"],
      ["abc", "y"],
    ]),
    ["京华  x", "abc   y"],
  );
  t.equal(widthOf("a京"), 3);
  t.end();
});

const hostile = {
  callId: "=cmd|'/C calc'!A0\u001b]0;title\u0007",
  agent: "<script>alert(1)</script>",
  trunk: "lease\u001b[2J",
  calling: [
    { source: "from", raw: "\u202e4321\u001b[31m", why: "invalid", presentation: "allowed" },
    { source: "from\u0000", raw: `"${"x".repeat(300)}`, number: "+86\u200b1" },
  ],
  called: { raw: "\u2066<b>" },
  notice: "公\u009b31m",
};

for (const isSealed of [false, true])
  void t.test(`search: a hostile call stays text, ${isSealed ? "sealed" : "open"}`, async (t) => {
    const { records, write } = openRecords(t);
    write("2026-10-03/08-gw-a.ndjson", [decided(hostile)]);
    if (isSealed) await seal(records);
    const { out } = await search([records]);
    t.notMatch(out, /(?!\n)[\p{Cc}\p{Cf}]/u);
    t.equal(out.split("\n").length, 3, "one row");
    t.match(out, "lease\\x1b[2J");
    t.match(out, "\\u202e4321\\x1b[31m");
    const json = (await search([records], { json: true })).out;
    t.notMatch(json, /(?!\n)[\p{Cc}\p{Cf}]/u);
    t.match(JSON.parse(json), hostile, "every octet is there");
  });
