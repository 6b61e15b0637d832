import { Buffer } from "node:buffer";
import t, { type Test } from "tap";
import { formatNumber } from "../../src/domain/number.ts";
import { createDialPlan } from "../../src/numbering/dial-plan.ts";
import { readCallee, readTarget } from "../../src/sip/attempt/called.ts";
import { readDiversion } from "../../src/sip/attempt/diversion.ts";
import { readUri } from "../../src/sip/fields/name-addr.ts";
import { createMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { request } from "../support/proxy.ts";

const plan = createDialPlan({ homeArea: "10", phoneContexts: new Set(["bank.example"]) });
const message = createMessage();
const CALLED = "sip:02787654321@192.0.2.1";

/** The numbers of the diverting parties, the most recent first. "contradicted": no licence may count. */
function read(
  headers: readonly string[],
  uri = CALLED,
): { readonly parties: readonly string[]; readonly fault: string | undefined } {
  scan(message, Buffer.from(request({ uri, headers }), "latin1"));
  const parts = readUri(uri, 0, uri.length);
  const parties = readDiversion(message, plan, readTarget(parts, readCallee(parts, plan)));
  return {
    parties: parties.map(({ number }) =>
      number.kind !== "unusable"
        ? (formatNumber(number) ?? "")
        : number.detail.startsWith("the last diverting party")
          ? "contradicted"
          : number.raw,
    ),
    fault: message.fault,
  };
}

type Row = readonly [name: string, headers: readonly string[], parties: readonly string[], uri?: string];

function testRows(t: Test, rows: readonly Row[]): void {
  for (const [name, headers, parties, uri] of rows) {
    const found = read(headers, uri);
    t.same(found.parties, parties, name);
    t.equal(found.fault, undefined, `${name}: no fault`);
  }
}

const one = "+861087654321";
const two = "+861087654322";

void t.test("every number that is not the called one is a diverting party", async (t) => {
  testRows(t, [
    ["none", [], []],
    [
      "Diversion, two values",
      ["Diversion: <sip:87654321@g>;reason=unconditional, <tel:+8613800138000>"],
      [one, "+8613800138000"],
    ],
    [
      "History-Info with a cause",
      ["History-Info: <sip:87654321@g>;index=1, <sip:02787654321@g;cause=302>;index=1.1"],
      [one],
    ],
    [
      "with a Reason",
      ["History-Info: <sip:87654321@g?Reason=SIP%3Bcause%3D302>;index=1, <sip:02787654321@g>;index=1.1"],
      [one],
    ],
    ["without a cause", ["History-Info: <sip:87654321@g>;index=1, <sip:02787654321@g>;index=1.1"], [one]],
    ["alone", ["History-Info: <sip:87654321@g>;index=1"], [one]],
    ["alone, without an index", ["History-Info: <sip:87654321@g>"], [one]],
    ["alone, as a tel URI", ["History-Info: <tel:+86-10-8765-4321>"], [one]],
    [
      "on two lines",
      ["History-Info: <sip:87654321@g>;index=1", "history-info: <sip:02787654321@g>;index=1.1"],
      [one],
    ],
    [
      "twice diverted",
      [
        "History-Info: <sip:87654321@g>;index=1, <sip:87654322@g;cause=302>;index=1.1, <sip:02787654321@g;cause=486>;index=1.2",
      ],
      [two, one],
    ],
    [
      "the target is not in the history",
      ["History-Info: <sip:87654321@g>;index=1, <sip:87654322@g>;index=1.1"],
      [two, one],
    ],
    [
      "something like a number",
      ["History-Info: <sip:8001@g>;index=1, <sip:02787654321@g>;index=1.1"],
      ["8001"],
    ],
    ["a Diversion without a number", ["Diversion: <sip:alice@g>;reason=no-answer"], ["alice"]],
    ["a code", ["Diversion: <tel:95588>"], ["95588"]],
  ]);
});

void t.test("an entry without a number is one when a cause says so", async (t) => {
  testRows(t, [
    ["a proxy's own entry", ["History-Info: <sip:sbc.example>;index=1, <sip:02787654321@g>;index=1.1"], []],
    ["a contact", ["History-Info: <sip:02787654321@g>;index=1, <sip:ua7@192.0.2.9;rc=1>;index=1.1"], []],
    [
      "with a Reason",
      ["History-Info: <sip:alice@g?Reason=SIP%3Bcause%3D302>;index=1, <sip:02787654321@g>;index=1.1"],
      ["alice"],
    ],
    ["Reason with an escaped name", ["History-Info: <sip:alice@g?%52eason=SIP>;index=1"], ["alice"]],
    [
      "Reason behind another field",
      ["History-Info: <sip:alice@g?Privacy=none&r%65aso%6E=SIP>;index=1"],
      ["alice"],
    ],
    [
      "a name that can't be decoded may be any",
      ["History-Info: <sip:alice@g?%5xeason=SIP>;index=1"],
      ["alice"],
    ],
    [
      "near miss: Reason elsewhere",
      ["History-Info: <sip:alice@g;reason=x?Subject=reason&X-Reason=SIP>;index=1"],
      [],
    ],
    [
      "a cause of the next entry",
      ["History-Info: <sip:alice@g>;index=1, <sip:02787654321@g;c%61use=302>;index=1.1"],
      ["alice"],
    ],
    [
      "a cause of the next but one",
      [
        "History-Info: <sip:alice@g>;index=1, <sip:bob@g>;index=1.1, <sip:02787654321@g;cause=302>;index=1.1.1",
      ],
      ["bob"],
    ],
  ]);
});

function rerouted(user: string): string {
  return `History-Info: <sip:${user}@g?Reason=SIP%3Bcause%3D503>;index=1, <sip:${user}@h;cause=503>;index=1.1`;
}

function history(first: string, second: string): string {
  return `History-Info: <sip:87654321@g>;index=${first}, <sip:87654322@g>;index=${second}, <sip:02787654321@g>;index=1.1.1`;
}

void t.test("the called number itself diverts nothing, in any spelling", async (t) => {
  testRows(t, [
    ...[
      "02787654321",
      "+862787654321",
      "00862787654321",
      "862787654321",
      "2787654321",
      "027-8765-4321",
      "%2B862787654321",
      "87654321;phone-context=+8627",
      "+862787654321;npdi",
    ].flatMap((user): Row[] => [
      [`rerouted after 503: ${user}`, [rerouted(user)], []],
      [`Diversion: ${user}`, [`Diversion: <sip:${user}@g>;reason=unavailable`], []],
      [`dialled as ${user}`, [rerouted("02787654321")], [], `sip:${user}@192.0.2.1`],
    ]),
    ["tel", ["Diversion: <tel:+86-27-8765-4321>"], []],
    [
      "tel with header fields",
      [
        "History-Info: <tel:+862787654321?Reason=Q.850%3Bcause%3D34&Privacy=history>;index=1",
        'History-Info: <tel:+86-27-87654321?Reason=SIP;cause=503;text="Service Unavailable">;index=1.1',
      ],
      [],
    ],
    ["near miss: another tel", ["History-Info: <tel:87654321?Reason=SIP%3Bcause%3D503>;index=1"], [one]],
    ["near miss: a number in the fields", ["History-Info: <tel:8001?02787654321>;index=1"], ["8001"]],
    ["the initial target alone", ["History-Info: <sip:02787654321@g>;index=1"], []],
    ["after 408, three times", [`${rerouted("02787654321")}, <sip:02787654321@i;cause=408>;index=1.2`], []],
    ["a code", ["History-Info: <sip:95588@g>;index=1"], [], "sip:95588@192.0.2.1"],
    ["a routing prefix", ["History-Info: <sip:1002%2344@g>;index=1"], [], "sip:1002#44@192.0.2.1"],
    ["digits that no plan has", ["History-Info: <sip:17951027@g>;index=1"], [], "sip:17951027@192.0.2.1"],
    ["a name", ["Diversion: <sip:alice@g>"], [], "sip:alice@192.0.2.1"],
    // Near misses.
    ["its neighbour", [rerouted("02787654322")], ["+862787654322", "+862787654322"]],
    ["a digit less", ["History-Info: <sip:0278765432@g>;index=1"], ["0278765432"]],
    ["another area", ["Diversion: <sip:87654321@g>"], [one]],
    ["the same digits in another context", ["Diversion: <sip:87654321;phone-context=bank.example@g>"], [one]],
    ["another case of a name", ["Diversion: <sip:Alice@g>"], ["Alice"], "sip:alice@192.0.2.1"],
    ["no user part", ["Diversion: <sip:g>"], [""], "sip:192.0.2.1"],
    ["a diversion behind it", [`${rerouted("02787654321")}, <sip:87654321@g>;index=1.2`], [one]],
    ["a diversion before it", ["Diversion: <sip:02787654321@g>, <sip:87654321@g>"], [one]],
    // The call may go to another party than the number says.
    [
      "a routing number",
      ["Diversion: <sip:02787654321@g>"],
      ["+862787654321"],
      "sip:02787654321;npdi;rn=+8613800138000@192.0.2.1",
    ],
    [
      "another host",
      ["Diversion: <sip:02787654321@g>"],
      ["+862787654321"],
      "sip:02787654321@192.0.2.1;maddr=203.0.113.66",
    ],
    ["a context", ["Diversion: <sip:95588@g>"], ["95588"], "sip:95588;phone-context=h.example@192.0.2.1"],
  ]);
});

void t.test("the last diverting party is told once", async (t) => {
  testRows(t, [
    ["in order", [history("1", "1.1")], [two, one]],
    ["a fork", [history("1.1", "1.2")], [two, one]],
    ["more than nine branches", [history("1.9", "1.10")], [two, one]],
    ["no index that can be read: the order counts", [history("x", "")], [two, one]],
    ["one index can't be read: it may be the last", [history("x", "1")], ["contradicted", two, one]],
    ["one index can't be read: it is the last in order", [history("1", "x")], ["contradicted", two, one]],
    [
      "one without an index",
      ["History-Info: <sip:87654321@g>, <sip:87654322@g>;index=1"],
      ["contradicted", two, one],
    ],
    ["two indexes", [history("1;index=1", "1.1")], ["contradicted", two, one]],
    ["the same index twice", [history("1", "1")], ["contradicted", two, one]],
    [
      "the same index twice for the same number",
      ["History-Info: <sip:87654321@g>;index=1, <tel:+861087654321>;index=1"],
      [one, one],
    ],
    [
      "the same index before the last one",
      ["History-Info: <sip:8001@g>;index=1, <sip:87654321@g>;index=1, <sip:87654322@g>;index=1.1"],
      [two, one, "8001"],
    ],
    ["an index of many digits", [history("99999", "1")], ["contradicted", two, one]],
    ["an index of many digits in order", [history("1", "99999")], [two, one]],
    ["out of order", [history("1.1", "1")], ["contradicted", two, one]],
    ["ten is behind nine", [history("1.10", "1.9")], ["contradicted", two, one]],
    ["both fields, the same", ["Diversion: <tel:+861087654322>", history("1", "1.1")], [two, two, one]],
    [
      "near miss: the first one",
      ["Diversion: <tel:+861087654321>", history("1", "1.1")],
      ["contradicted", one, two, one],
    ],
    [
      "another number",
      ["Diversion: <tel:95588>", "History-Info: <sip:87654321@g>;index=1"],
      ["contradicted", "95588", one],
    ],
    [
      "something like a number",
      ["Diversion: <tel:95588>", "History-Info: <sip:8001@g>;index=1"],
      ["contradicted", "95588", "8001"],
    ],
    [
      "a history of the called number",
      ["Diversion: <tel:95588>", "History-Info: <sip:02787654321@g>;index=1"],
      ["95588"],
    ],
    [
      "a Diversion of the called number",
      ["Diversion: <tel:+862787654321>", "History-Info: <sip:87654321@g>;index=1"],
      [one],
    ],
    [
      "a history without numbers contradicts nothing",
      ["Diversion: <tel:95588>", "History-Info: <sip:alice@g?Reason=SIP>;index=1"],
      ["95588", "alice"],
    ],
  ]);
});

void t.test("an entry with two hosts is malformed", async (t) => {
  const twofold = "history-info: more than one @";
  const rows: readonly (readonly [uri: string, fault: string | undefined])[] = [
    ["sip:13912345678@a@b", twofold],
    ["sips:95588@a@b", twofold],
    ["sip:13912345678@b?Reason=SIP%3Btext%3Da%40b", undefined],
    ["sip:13912345678@b?Reason=SIP;text=a@b", undefined],
    ["im:alice@b", undefined],
    ["sip:13912345678%40a@b", undefined],
  ];
  for (const [uri, fault] of rows) t.equal(read([`History-Info: <${uri}>;index=1`]).fault, fault, uri);
});

void t.test("quotes in the text of a Reason", async (t) => {
  const quotes = "history-info: quotes in the header fields of a URI";
  const inside = "history-info: space, quote or bracket inside <>";
  const rows: readonly (readonly [string, string, readonly string[], string?])[] = [
    ["escaped", "<sip:87654321@g?Reason=SIP%3Bcause%3D302%3Btext%3D%22Moved%20on%22>;index=1", [one]],
    ["not escaped", '<sip:87654321@g?Reason=SIP;cause=302;text="Moved Temporarily">;index=1', [one]],
    [
      "a comma in it",
      '<sip:87654321@g?Reason=SIP;cause=302;text="Moved, sorry">;index=1,<sip:95588@g>;index=1.1',
      ["95588", one],
    ],
    ["empty", '<sip:87654321@g?Reason=SIP;text="">;index=1', [one]],
    ["behind the brackets", '<sip:87654321@g?Reason=SIP%3Bcause%3D302>;index=1;text="Moved, <on>"', [one]],
    [
      "of the called number",
      '<sip:02787654321@g?Reason=SIP;cause=503;text="Service Unavailable">;index=1',
      [],
    ],
    [
      "near miss: a bracket in it",
      '<sip:87654321@g?Reason=SIP;text="x>, <sip:95588@g">;index=1',
      ["95588", "87654321"],
      inside,
    ],
    ["near miss: it doesn't close", '<sip:87654321@g?Reason=SIP;text="Moved>;index=1', [one], inside],
    ["near miss: a backslash in it", '<sip:87654321@g?Reason=SIP;text="a\\" b">;index=1', [one], inside],
    [
      "near miss: in front of the header fields",
      '<sip:"87654321"@g?Reason=SIP>;index=1',
      ['"87654321"'],
      inside,
    ],
    ["near miss: a space outside", '<sip:87654321@g?Reason=SIP; text="Moved">;index=1', [one], inside],
  ];
  for (const [name, value, parties, fault] of rows) {
    const found = read([`History-Info: ${value}`]);
    if (fault === undefined) t.same(found.parties, parties, name);
    t.equal(found.fault, fault, `${name}: fault`);
  }
  t.match(
    read(['Diversion: <sip:95588@g?Reason=SIP;text="x">']).fault,
    quotes.replace("history-info", "diversion"),
  );
});

/** A field of `n` values. */
function list(name: string, n: number): string {
  return `${name}: ${Array.from({ length: n }, () => "<sip:87654321@g>;index=1").join(",")}`;
}

void t.test("at most 16 diverting parties and entries of a history", async (t) => {
  const tooMany = "more than 16 diverting parties";
  const rows: readonly (readonly [string, readonly string[], number, string?])[] = [
    ["16", [list("Diversion", 16)], 16],
    ["17", [list("Diversion", 17)], 16, tooMany],
    ["a history of 16", [list("History-Info", 16)], 16],
    ["a history of 17", [list("History-Info", 17)], 16, tooMany],
    ["10 and a history of 6", [list("Diversion", 10), list("History-Info", 6)], 16],
    ["10 and a history of 7", [list("Diversion", 10), list("History-Info", 7)], 16, tooMany],
    ["thousands", [list("Diversion", 2000), list("History-Info", 2000)], 16, tooMany],
  ];
  for (const [name, headers, diverted, fault] of rows) {
    const found = read(headers);
    t.equal(found.parties.length, diverted, name);
    t.equal(found.fault, fault, `${name}: fault`);
  }
});
