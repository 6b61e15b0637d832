// Whatever a peer sends, a line is valid UTF-8 and JSON, without half a surrogate pair, and no text is longer than it may be.
import { Buffer, isUtf8 } from "node:buffer";
import {
  type Arbitrary,
  assert,
  constantFrom,
  nat,
  oneof,
  property,
  string,
  tuple,
  uint8Array,
} from "fast-check";
import t from "tap";
import { readPeerText } from "../../src/records/lines/peer-text.ts";
import { asRead, createLineMaker, forwardedCall } from "./line-maker.ts";

const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Octets as peers may send them: anything, text, and text that is cut or damaged. */
const octets: Arbitrary<Buffer> = oneof(
  uint8Array({ maxLength: 1500 }).map((bytes) => Buffer.from(bytes)),
  string({ unit: "binary", maxLength: 600 }).map((text) => Buffer.from(text)),
  tuple(string({ unit: "grapheme", maxLength: 400 }), nat(1200)).map(([text, cut]) =>
    Buffer.from(text).subarray(0, cut),
  ),
  constantFrom(
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "\u001b[31mred\u001b]0;title\u0007",
    "\u202Egnp.exe\u2066",
    "\0\r\n\t\u2028\u2029\u007f\u0085",
    "😀".repeat(300),
    `${"a".repeat(1023)}é`,
    '{"record":"ended","id":"gw-a-t3k9x1-1"}\n',
  ).map((text) => Buffer.from(text)),
  constantFrom("c080", "edb080", "eda080edb080", "f4908080", "fffe", "e28ba", "f09f98").map((hex) =>
    Buffer.from(hex, "hex"),
  ),
);

function texts(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(texts) : [];
}

void t.test("hostile: lines of hostile calls", (t) => {
  const make = createLineMaker();
  assert(
    property(octets, octets, octets, octets, (callId, uri, display, message) => {
      const event = forwardedCall(1);
      const { attempt } = event.decision;
      const [first] = attempt.calling;
      const raw = display.toString("latin1");
      const calling = [{ ...first!, number: { ...first!.number, raw }, display: raw }];
      const hostile = {
        ...attempt,
        callId: callId.toString("latin1"),
        requestUri: uri.toString("latin1"),
        calling,
      };
      const head = Buffer.from("INVITE sip:1@2 SIP/2.0\r\nFrom: <sip:1@");
      const bytes = Buffer.concat([
        head,
        message,
        Buffer.from(">;tag=1\r\nUser-Agent: "),
        message,
        Buffer.from("\r\n\r\n"),
      ]);
      const reading = make({ ...event, decision: { ...event.decision, attempt: hostile }, bytes });
      const text = reading.line ?? "";
      // The line is put together by hand: it must be what JSON.stringify writes.
      if (JSON.stringify(JSON.parse(text)) !== text) throw new Error("not as JSON.stringify writes it");
      if (text.includes("\n")) throw new Error("two lines");
      if (!isUtf8(Buffer.from(text)) || LONE.test(text) || /\\ud[89a-f]/i.test(text))
        throw new Error("no UTF-8");
      const line = asRead(reading);
      const { rawHex, ...fields } = line as { readonly rawHex?: Record<string, string> };
      for (const value of texts(fields))
        if (Array.from(value).length > 256) throw new Error(`too long: ${value.length}`);
      if (callId.length > 0 && callId.length <= 256) {
        const sound = isUtf8(callId);
        if (sound !== (rawHex?.["callId"] === undefined)) throw new Error("rawHex");
        if (!sound && rawHex?.["callId"] !== callId.toString("hex")) throw new Error("octets");
        if (line["callId"] !== Array.from(callId.toString("utf8")).slice(0, 256).join(""))
          throw new Error("text");
      }
    }),
    { numRuns: 3000 },
  );
  t.pass("3000 hostile calls");
  t.end();
});

void t.test("hostile: texts of peers, one by one", (t) => {
  const table: readonly (readonly [what: string, octets: Buffer, text: string, hex?: string])[] = [
    ["ASCII", Buffer.from("abc"), "abc"],
    ["UTF-8", Buffer.from("北京"), "北京"],
    ["GB18030 is no UTF-8", Buffer.from("b1b1bea9", "hex"), "\ufffd\ufffd\ufffd\ufffd", "b1b1bea9"],
    ["256 code points", Buffer.from("a".repeat(256)), "a".repeat(256)],
    ["one more", Buffer.from("a".repeat(257)), "a".repeat(256)],
    ["256 pairs of surrogates", Buffer.from("😀".repeat(256)), "😀".repeat(256)],
    ["one more", Buffer.from("😀".repeat(257)), "😀".repeat(256)],
    ["a surrogate by itself (CESU-8)", Buffer.from("eda080", "hex"), "\ufffd\ufffd\ufffd", "eda080"],
    ["nothing", Buffer.alloc(0), ""],
  ];
  for (const [what, given, text, hex] of table) t.same(readPeerText(given), { text, hex }, what);
  t.same(
    readPeerText(Buffer.from("aé").subarray(0, 2), true),
    { text: "a", hex: undefined },
    "cut in a character",
  );
  t.same(
    readPeerText(Buffer.from("aé").subarray(0, 2)),
    { text: "a\ufffd", hex: "61c3" },
    "not cut: damaged",
  );
  t.end();
});
