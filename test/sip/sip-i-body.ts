import { Buffer } from "node:buffer";
import t from "tap";
import { claimsIsup } from "../../src/sip/bodies/body.ts";
import { readIsupBody } from "../../src/sip/bodies/sip-i-body.ts";
import { readMediaType } from "../../src/sip/fields/media-type.ts";
import { createMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { createRandom } from "../pcap/reading.ts";
import { millisecondsSince } from "../support/cpu-time.ts";
import { request } from "../support/proxy.ts";

const message = createMessage();

/** The octets of the ISUP part and its version, or why there is none that can be read. */
function read(headers: readonly string[], body: string): string {
  scan(message, Buffer.from(request({ headers, body }), "latin1"));
  t.ok(claimsIsup(message), "claims");
  const found = readIsupBody(message);
  if (typeof found === "string") return found;
  const octets = found.bytes.toString("hex", found.start, found.end);
  return `${octets} ${found.version}${found.base === "" ? "" : ` ${found.base}`}`;
}

const mixed = "Content-Type: multipart/mixed;boundary=b";
const isup = "Content-Type: application/ISUP;version=itu-t92+";
const sdp = "Content-Type: application/sdp\r\n\r\nv=0\r\n";
const part = `${isup}\r\n\r\n\x01\x02`;

/** A body whose delimiters are those of `boundary`. */
function parts(boundary: string, ...contents: readonly string[]): string {
  return `${contents.map((content) => `--${boundary}\r\n${content}\r\n`).join("")}--${boundary}--\r\n`;
}

void t.test("ISUP as the only body", (t) => {
  const rows: readonly (readonly [what: string, headers: readonly string[], body: string, read: string])[] = [
    ["plain", [isup], "\x01\x02", "0102 itu-t92+"],
    ["empty", [isup], "", " itu-t92+"],
    ["its base", [`${isup};base=ETSI121`], "\x01", "01 itu-t92+ etsi121"],
    ["quoted, spaced, folded", ['c: APPLICATION / isup\r\n ;\tVersion = "Nxv3"'], "\x01", "01 nxv3"],
    ["no version", ["Content-Type: application/isup"], "\x01", "01 "],
    ["binary", [isup, "Content-Transfer-Encoding: Binary"], "\x01", "01 itu-t92+"],
    ["base64", [isup, "Content-Transfer-Encoding: BASE64"], "AQ\r\nI=\r\n", "0102 itu-t92+"],
    ["base64 that isn't", [isup, "Content-Transfer-Encoding: base64"], "A!I=", "base64 that can't be read"],
    [
      "base64 behind its end",
      [isup, "Content-Transfer-Encoding: base64"],
      "AQI=AQI=",
      "base64 that can't be read",
    ],
    ["half a group", [isup, "Content-Transfer-Encoding: base64"], "AQI", "base64 that can't be read"],
    [
      "quoted-printable",
      [isup, "Content-Transfer-Encoding: quoted-printable"],
      "=01",
      "Content-Transfer-Encoding quoted-printable",
    ],
    [
      "two encodings",
      [isup, "Content-Transfer-Encoding: binary", "Content-Transfer-Encoding: base64"],
      "AQI=",
      "more than one Content-Transfer-Encoding",
    ],
    ["compressed", [isup, "Content-Encoding: gzip"], "\x1f\x8b", "Content-Encoding"],
    ["under its experimental name", ["Content-Type: application/x-isup"], "\x01", "01 "],
    [
      "a type of its own",
      ["Content-Type: application/x-isup2"],
      "\x01",
      "a body of type application/x-isup2",
    ],
    ["a comment", ["Content-Type: application/(x)isup"], "\x01", "a Content-Type that can't be read"],
    [
      "two types",
      ["Content-Type: application/sdp, application/isup"],
      "\x01",
      "a Content-Type that can't be read",
    ],
    ["two versions", [`${isup};version=ansi88`], "\x01", "a Content-Type that can't be read"],
    ["too long", [isup], "\x01".repeat(4097), "too long for ISUP"],
    ["near miss", [isup], "\x01".repeat(4096), `${"01".repeat(4096)} itu-t92+`],
    ["a message", ["Content-Type: message/sip"], `x\r\n${isup}\r\n\r\n`, "a body of type message/sip"],
  ];
  for (const [what, headers, body, expected] of rows) t.equal(read(headers, body), expected, what);
  t.end();
});

void t.test("ISUP as a part", (t) => {
  const nested = (boundary: string, ...contents: readonly string[]): string =>
    `Content-Type: multipart/alternative;boundary="${boundary}"\r\n\r\n${parts(boundary, ...contents)}`;
  const good = "0102 itu-t92+";
  const rows: readonly (readonly [what: string, type: string, body: string, read: string])[] = [
    ["behind SDP", mixed, parts("b", sdp, part), good],
    ["alone", mixed, parts("b", part), good],
    ["preamble and epilogue", mixed, `Hello\r\nnot --b\r\n${parts("b", part)}Bye`, good],
    ["delimiters with white space", mixed, `--b \t\r\n${part}\r\n--b-- \t\r\n`, good],
    ["no CRLF at the very end", mixed, parts("b", part).slice(0, -2), good],
    [
      "line ends and delimiters inside the octets",
      mixed,
      parts("b", `${isup}\r\n\r\n\r\n-- --b\r\n`),
      "0d0a2d2d202d2d620d0a itu-t92+",
    ],
    [
      "compact, folded, in odd case",
      mixed,
      parts("b", "C:\r\n application/\r\n ISUP ;version=x\r\n\r\n\x01"),
      "01 x",
    ],
    ["base64", mixed, parts("b", `content-transfer-encoding : base64\r\n${isup}\r\n\r\nAQI=`), good],
    ["a quoted boundary", 'Content-Type: multipart/mixed;boundary="a b:=?"', parts("a b:=?", part), good],
    [
      "a boundary like a delimiter",
      "Content-Type: multipart/mixed;boundary=----x",
      parts("----x", part),
      good,
    ],
    ["nested", mixed, parts("b", sdp, nested("inner", sdp, part)), good],
    ["nested twice", mixed, parts("b", nested("1", nested("2", part))), good],
    [
      "nested deeper",
      mixed,
      parts("b", nested("1", nested("2", nested("3", nested("4", part))))),
      "multipart bodies nested too deeply",
    ],
    ["two", mixed, parts("b", part, part), "two ISUP parts"],
    ["two, one nested", mixed, parts("b", part, nested("inner", part)), "two ISUP parts"],
    [
      "alternatives",
      "Content-Type: multipart/alternative;boundary=b",
      parts("b", part, part),
      "two ISUP parts",
    ],
    ["a second one in the preamble", mixed, `${isup}\r\n${parts("b", part)}`, "a second claim to be ISUP"],
    ["a second one in the epilogue", mixed, `${parts("b", part)}${isup}\r\n`, "a second claim to be ISUP"],
    [
      "a second one in a text",
      mixed,
      parts("b", part, `\r\nsee application/isup`),
      "a second claim to be ISUP",
    ],
    ["only in a text", mixed, parts("b", `\r\nsee application/isup`), "no part of type application/isup"],
    [
      "a type of its own",
      mixed,
      parts("b", "c: application/isup2\r\n\r\n\x01"),
      "no part of type application/isup",
    ],
    ["a part with two types", mixed, parts("b", `${isup}\r\n${part}`), "content-type appears twice"],
    [
      "a part with its compact form too",
      mixed,
      parts("b", `c: text/plain\r\n${part}`),
      "content-type appears twice",
    ],
    [
      "a compressed part",
      mixed,
      parts("b", `Content-Encoding: gzip\r\n${part}`),
      "a part with Content-Encoding",
    ],
    ["no boundary", "Content-Type: multipart/mixed", parts("b", part), "no boundary that can be used"],
    [
      "an empty boundary",
      'Content-Type: multipart/mixed;boundary=""',
      parts("", part),
      "no boundary that can be used",
    ],
    [
      "a boundary too long",
      `Content-Type: multipart/mixed;boundary=${"x".repeat(71)}`,
      parts("b", part),
      "no boundary that can be used",
    ],
    [
      "an escaped boundary",
      'Content-Type: multipart/mixed;boundary="\\b"',
      parts("b", part),
      "a Content-Type that can't be read",
    ],
    ["two boundaries", `${mixed};boundary=c`, parts("b", part), "a Content-Type that can't be read"],
    ["no last delimiter", mixed, `--b\r\n${part}\r\n`, "no last delimiter"],
    ["another boundary", mixed, parts("c", part), "no last delimiter"],
    ["one more behind the last", mixed, `${parts("b", part)}--b\r\n`, "a delimiter after the last one"],
    [
      "a line that begins like one",
      mixed,
      parts("b", part, "\r\n--bc"),
      "a line that only begins like a delimiter",
    ],
    [
      "nested with a longer boundary",
      mixed,
      parts("b", nested("b2", part)),
      "a line that only begins like a delimiter",
    ],
    [
      "lines that end in LF",
      mixed,
      parts("b", part).replaceAll("\r\n", "\n"),
      "a line that only begins like a delimiter",
    ],
    ["a delimiter behind LF", mixed, `--b\r\n${part}\n--b--\r\n`, "a delimiter after a bare LF"],
    [
      "a header line that ends in LF",
      mixed,
      parts("b", `${isup}\n\r\n\x01`),
      "a part's header line without CRLF",
    ],
    [
      "a header line without colon",
      mixed,
      parts("b", `${isup}\r\nhello\r\n\r\n\x01`),
      "a part's header line without colon",
    ],
    ["many parts", mixed, parts("b", part, ...Array.from({ length: 32 }, () => sdp)), "more than 32 parts"],
    ["near miss", mixed, parts("b", part, ...Array.from({ length: 31 }, () => sdp)), good],
    ["many fields", mixed, parts("b", `${"X: y\r\n".repeat(33)}${part}`), "more than 32 fields in a part"],
    ["a digest", "Content-Type: multipart/digest;boundary=b", parts("b", part), "a digest"],
    [
      "a message, encoded",
      mixed,
      parts("b", part, "c: message/sip\r\nContent-Transfer-Encoding: base64\r\n\r\nAQI="),
      "parts inside an encoded part",
    ],
    [
      "nested, encoded",
      mixed,
      parts("b", `Content-Transfer-Encoding: base64\r\n${nested("x", part)}`),
      "parts inside an encoded part",
    ],
  ];
  for (const [what, type, body, expected] of rows) t.equal(read([type], body), expected, what);
  t.equal(
    read([mixed, "Content-Transfer-Encoding: base64"], parts("b", part)),
    "parts inside an encoded body",
  );
  t.end();
});

const say = (value: string): string => {
  const type = readMediaType(value);
  return type === undefined
    ? "none"
    : [type.name, ...[...type.parameters].map((pair) => pair.join("="))].join(" ");
};

void t.test("media types", (t) => {
  const rows: readonly (readonly [value: string, read: string])[] = [
    ["application/sdp", "application/sdp"],
    [" Multipart / Mixed ; Boundary = b ", "multipart/mixed boundary=b"],
    ['a/b;c="d;e"', "a/b c=d;e"],
    ["a/b;", "none"],
    ["a/b;c", "none"],
    ["a/b;c=", "none"],
    ["a/b;c=d e", "none"],
    ['a/b;c="d', "none"],
    ['a/b;c="d\\"e"', "none"],
    ["a/b;c=d;C=e", "none"],
    ["a", "none"],
    ["/b", "none"],
    ["a/", "none"],
    ["", "none"],
  ];
  for (const [value, expected] of rows) t.equal(say(value), expected, value);
  t.end();
});

void t.test("mutated bodies: never thrown at, and positions lie inside the message", (t) => {
  const random = createRandom(99);
  const seed = Buffer.from(
    request({
      headers: [mixed],
      body: parts("b", sdp, `c: multipart/mixed;boundary=i\r\n\r\n${parts("i", part)}`),
    }),
    "latin1",
  );
  const body = seed.indexOf("--b");
  const signs = Buffer.from('-b\r\n:;="/ i\x01', "latin1");
  let readable = 0;
  let outside = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = Buffer.from(seed);
    for (let n = random(4); n >= 0; n--)
      bytes[body + random(bytes.length - body)] = signs[random(signs.length)]!;
    scan(message, bytes);
    if (message.fault !== undefined || !claimsIsup(message)) continue;
    const found = readIsupBody(message);
    if (typeof found === "string") continue;
    readable++;
    if (found.start > found.end || found.end > found.bytes.length) outside++;
  }
  t.ok(readable > 100 && readable < 20_000, `${readable} could be read`);
  t.equal(outside, 0);
  t.end();
});

void t.test("a body of 60 kB made of whatever is looked for is read in linear time", (t) => {
  for (const piece of [
    "--b",
    "--b\r\n",
    "\r\n--b",
    "\r\n--bx",
    `--b\r\n${isup}\r\n\r\n`,
    "--b\r\nX:\r\n ",
    "-",
    `${mixed}\r\n\r\n`,
  ]) {
    const body = `--b\r\n${isup}\r\n\r\n${piece.repeat(Math.floor(60_000 / piece.length))}`;
    const started = process.cpuUsage();
    read([mixed], body);
    t.ok(millisecondsSince(started) < 500, JSON.stringify(piece));
  }
  t.end();
});
