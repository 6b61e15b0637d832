import t from "tap";
import { findComplaints, readPage, type Vector } from "../support/literate-vector.ts";
import { insideBase, octetsOf, quote, textOf, valueOf } from "../support/vector-octets.ts";

const block = (info: string, ...lines: readonly string[]): string =>
  ["```" + info, ...lines, "```"].join("\n");
const head = "# Idea\n\nProse.\n\n";
const via = block("via", "SIP/2.0/UDP a");
const expect = block("expect", "via[0].host: a");

void t.test("pages that can't be understood are refused", (t) => {
  const rows: readonly (readonly [what: string, page: string, refusal: string])[] = [
    ["no vector", head, "page.md:1: no vector"],
    ["an example alone", head + block("", "x"), "page.md:1: no vector"],
    ["no prose", `# Idea\n\n${via}\n${expect}`, "page.md:3: no prose between the heading and the block"],
    [
      "no prose below the second heading",
      `${head}${via}\n${expect}\n## More\n${via}`,
      "page.md:12: no prose",
    ],
    ["no expectation at the end", head + via, "page.md:5: a message without an expectation"],
    ["no expectation in between", `${head}${via}\n${via}\n${expect}`, "page.md:5: a message without"],
    ["an expectation alone", head + expect, "page.md:5: an expectation without a message"],
    ["two expectations", `${head}${via}\n${expect}\n${expect}`, "page.md:11: an expectation without"],
    ["an empty expectation", `${head}${via}\n${block("expect")}`, "page.md:8: an empty expectation"],
    ["no key", `${head}${via}\n${block("expect", "host")}`, "page.md:9: not a line of the form"],
    ["no value", `${head}${via}\n${block("expect", "host:")}`, "page.md:9: not a line of the form"],
    ["a key twice", `${head}${via}\n${block("expect", "a: 1", "a: 1")}`, "page.md:10: a stands twice"],
    ["no end", `${head}${via.slice(0, -4)}`, "page.md:5: the block has no end"],
    ["a tab", head + block("via", "\t"), "page.md:6: an octet outside printable ASCII"],
    ["an umlaut", head + block("via", "ä"), "page.md:6: an octet outside printable ASCII"],
    ["a space at the end", head + block("via", "a "), "page.md:6: a space at the end of a line"],
    ["two bases", `${head}${block("base", "a")}\n${block("base", "b")}`, "page.md:8: more than one base"],
  ];
  for (const [what, page, refusal] of rows)
    t.throws(() => readPage("page.md", page), { message: new RegExp(`^${refusal}`) }, what);
  t.end();
});

function vectorOf(...lines: readonly string[]): Vector {
  return {
    page: "page.md",
    line: 5,
    heading: "",
    kind: "x",
    options: [],
    lines,
    base: [],
    expected: new Map(),
  };
}

void t.test("a page is vectors: where, what, with which options, in which base", (t) => {
  const page = `${head}${block("base", "A: 1", "{fields}")}\n${block("uri domestic:10", "x")}\n${expect}\n`;
  t.same(readPage("page.md", page), [
    {
      page: "page.md",
      line: 9,
      heading: "Idea",
      kind: "uri",
      options: ["domestic:10"],
      lines: ["x"],
      base: ["A: 1", "{fields}"],
      expected: new Map([["via[0].host", "a"]]),
    },
  ]);
  t.end();
});

void t.test("a check that fails says why", (t) => {
  const found = new Map([
    ["fault", "none"],
    ["a", "1"],
    ["v[0].x", "1"],
    ["v[1].x", "2"],
  ]);
  const rows: readonly (readonly [expected: Record<string, string>, complaints: readonly string[]])[] = [
    [{ a: "1" }, []],
    [{ a: "1", fault: "none" }, []],
    [{ a: "2" }, ["a: 1, where the page says 2"]],
    [{ b: "1" }, ["no b among fault, a, v[0].x, v[1].x"]],
    [{ "v[0].x": "1" }, ["v[1] is not on the page"]],
    [{ "v[0].x": "1", "v[1].x": "2" }, []],
    [{ "v[0].x": "1", "v[1].y": "2" }, ["no v[1].y among fault, a, v[0].x, v[1].x"]],
    [{ fault: "broken" }, ["fault: none, where the page says broken"]],
  ];
  for (const [expected, complaints] of rows) {
    const vector = { ...vectorOf(), expected: new Map(Object.entries(expected)) };
    t.same(findComplaints(vector, found), complaints, JSON.stringify(expected));
  }
  const vector = { ...vectorOf(), expected: new Map([["a", "1"]]) };
  t.same(
    findComplaints(
      vector,
      new Map([
        ["a", "1"],
        ["fault", "broken"],
      ]),
    ),
    ["fault: broken"],
    "a fault that the page does not name",
  );
  t.same(
    findComplaints(vector, new Map([["a", "1"]])),
    ["the reading says nothing of faults"],
    "a reading without faults",
  );
  t.end();
});

void t.test("octets: escapes, line ends, bases, comments", (t) => {
  t.equal(textOf(vectorOf("a", "", "b")), "a\r\n\r\nb\r\n");
  t.equal(textOf(vectorOf("a\\", "\\x00\\xff")), "a\0\xff\r\n");
  t.equal(valueOf(vectorOf("\\x5cx00")), "\\x00", "an escape is undone once");
  t.throws(() => valueOf(vectorOf("a\\b")), { message: /^page\.md:5: a backslash that is no escape/ });
  t.throws(() => valueOf(vectorOf("\\xFF")), { message: /backslash/ }, "escapes are in lower case");
  t.throws(() => valueOf(vectorOf("a", "b")), { message: "page.md:5: not one line" });
  t.throws(() => valueOf(vectorOf()), { message: "page.md:5: not one line" });
  t.equal(quote('a"\\\r\xff'), '"a"\\x5c\\x0d\\xff"');
  t.throws(() => insideBase(vectorOf("a"), ""), { message: /^page\.md:5: the page has no base/ });
  const { bytes, offset } = insideBase({ ...vectorOf("a"), base: ["A", "{fields}", "B"] }, "\r\n");
  t.same([bytes.toString(), offset], ["A\r\na\r\nB\r\n\r\n", 3]);
  t.equal(octetsOf(vectorOf("00 ff # comment", "", "# 01", " 02")).toString("hex"), "00ff02");
  for (const strange of ["0", "000", "0g", "FF"])
    t.throws(() => octetsOf(vectorOf(strange)), { message: `page.md:5: not an octet: ${strange}` });
  t.end();
});
