import { Buffer } from "node:buffer";
import t from "tap";
import { findUnreadBody } from "../../src/sip/bodies/unread-body.ts";
import { createMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { millisecondsSince } from "../support/cpu-time.ts";
import { request } from "../support/proxy.ts";

const message = createMessage();

function find(
  headers: readonly string[],
  body: string,
  { method = "INVITE", further = [] }: { method?: string; further?: readonly string[] } = {},
): string {
  scan(message, Buffer.from(request({ method, headers, body }), "latin1"));
  return findUnreadBody(message, new Set(further)) ?? "passes";
}

const sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n";
const iam =
  "\x01\x00\x20\x01\x0a\x00\x02\x07\x05\x03\x10\x20\x87\x56\x34\x12\x0a\x07\x03\x11\x31\x19\x32\x54\x76\x00";
const gtd = "IAM,\r\nCGN,04,,1,y,4,1087654400\r\n";
const mixed = "Content-Type: multipart/mixed;boundary=b";

/** A multipart body: parts of header lines and a content. */
function multipart(...parts: readonly (readonly [head: string, content?: string])[]): string {
  const text = parts.map(
    ([head, content = sdp]) => `--b\r\n${head === "" ? "" : `${head}\r\n`}\r\n${content}\r\n`,
  );
  return `${text.join("")}--b--\r\n`;
}

const sdpPart = ["Content-Type: application/sdp"] as const;

void t.test("the type of a body, alone and as a part", async (t) => {
  const rows: readonly (readonly [type: string, found: string])[] = [
    ["application/sdp", "passes"],
    ["application/SDP", "passes"],
    ["application/sdp;charset=utf-8", "passes"],
    ["application / sdp ; x=y", "passes"],
    ["application/trickle-ice-sdpfrag", "passes"],
    ["application/media_control+xml", "passes"],
    ["application/dtmf-relay", "passes"],
    ["application/dtmf", "passes"],
    ["application/vnd.nortelnetworks.digits", "passes"],
    ["application/pidf+xml", "passes"],
    ["application/EmergencyCallData.eCall.MSD", "passes"],
    ["application/rs-metadata+xml", "passes"],
    ["application/simple-message-summary", "passes"],
    ["text/plain;charset=utf-8", "passes"],
    ["application/isup;version=itu-t92+", "passes"],
    ["application/x-isup;version=itu-t92+", "passes"],
    ["application/QSIG", "application/qsig"],
    ["application/QSIG;version=iso", "application/qsig"],
    ["APPLICATION/qsig", "application/qsig"],
    ["application/x-qsig", "application/x-qsig"],
    ["application/gtd", "application/gtd"],
    ["application/x-q931", "application/x-q931"],
    ["application/bicc", "application/bicc"],
    ["application/vnd.cirpack.isdn-ext", "application/vnd.cirpack.isdn-ext"],
    ["application/vnd.etsi.mcid+xml", "application/vnd.etsi.mcid+xml"],
    ["application/vnd.3gpp.sms", "application/vnd.3gpp.sms"],
    ["application/resource-lists+xml", "application/resource-lists+xml"],
    ["application/octet-stream", "application/octet-stream"],
    ["application/sdpx", "application/sdpx"],
    ["application/x-sdp", "application/x-sdp"],
    ["text/vcard", "text/vcard"],
    ["image/png", "image/png"],
    ["message/sip", "message/sip"],
    ["message/sipfrag", "message/sipfrag"],
    ["message/cpim", "message/cpim"],
    ["message/external-body;access-type=URL", "message/external-body"],
    ["application/sdp, application/QSIG", "a Content-Type that can't be read"],
    ["application/(x)sdp", "a Content-Type that can't be read"],
    ["application/sdp (QSIG)", "a Content-Type that can't be read"],
    ["application/", "a Content-Type that can't be read"],
    ["sdp", "a Content-Type that can't be read"],
    [`x/${"y".repeat(100)}`, `x/${"y".repeat(58)}`],
  ];
  for (const [type, found] of rows) {
    const field = `Content-Type: ${type}`;
    t.equal(find([field], sdp), found, type);
    t.equal(find([mixed], multipart(sdpPart, [field])), found, `a part: ${type}`);
    const inner = multipart([field]).replaceAll("--b", "--i");
    const nested = multipart(sdpPart, ["Content-Type: multipart/alternative;boundary=i", inner]);
    t.equal(find([mixed], nested), found, `a part of a part: ${type}`);
  }
});

void t.test(
  "bodies that don't say what they are, or say it twice, or not so that all read it alike",
  async (t) => {
    const rows: readonly (readonly [
      name: string,
      headers: readonly string[],
      body: string,
      found: string,
    ])[] = [
      ["no body", [], "", "passes"],
      ["a type and no body", ["Content-Type: application/QSIG"], "", "passes"],
      ["no type, SDP", [], sdp, "passes"],
      ["no type, empty lines", [], "\r\n\r\n", "passes"],
      ["no type, ISUP", [], iam, "no Content-Type"],
      ["no type, GTD", [], gtd, "no Content-Type"],
      ["no type, nearly SDP", [], "v=", "no Content-Type"],
      ["compact", ["c: application/QSIG"], "\x08", "application/qsig"],
      ["folded", ["Content-Type: application/\r\n QSIG"], "\x08", "application/qsig"],
      ["near miss: folded", ["Content-Type:\r\n application/sdp"], sdp, "passes"],
      ["a semicolon too many", ["Content-Type: application/sdp;"], sdp, "passes"],
      ["an open quote", ['Content-Type: application/sdp;x="a'], sdp, "a Content-Type that can't be read"],
      ["a comma in quotes", ['Content-Type: application/sdp;x="a, b"'], sdp, "passes"],
      ["text that is ISUP", ["Content-Type: text/plain"], iam, "text/plain"],
      ["near miss: text", ["Content-Type: text/plain"], "h\xc3\xa9llo\r\n\t", "passes"],
      [
        "compressed SDP",
        ["Content-Type: application/sdp", "Content-Encoding: gzip"],
        "\x1f\x8b",
        "Content-Encoding",
      ],
      ["compressed, of no type", ["e: gzip"], "\x1f\x8b", "Content-Encoding"],
      ["near miss: identity", ["Content-Type: application/sdp", "Content-Encoding: identity"], sdp, "passes"],
      ["parts: none", [mixed], "", "passes"],
      ["parts: a preamble and an end", [mixed], `hello\r\n${multipart(sdpPart)}bye`, "passes"],
      [
        "parts: no boundary",
        ["Content-Type: multipart/mixed"],
        multipart(sdpPart),
        "no boundary that can be used",
      ],
      [
        "parts: a quoted boundary",
        ['Content-Type: multipart/mixed;boundary="b"'],
        multipart(sdpPart),
        "passes",
      ],
      [
        "parts: a boundary for readers of RFC 2231",
        [`${mixed};boundary*=us-ascii''c`],
        multipart(sdpPart),
        "a boundary in two forms",
      ],
      [
        "parts: the same in pieces",
        [`${mixed};boundary*0=c;boundary*1=d`],
        multipart(sdpPart),
        "a boundary in two forms",
      ],
      ["near miss: another parameter", [`${mixed};name*=us-ascii''c`], multipart(sdpPart), "passes"],
      [
        "parts: a part of another boundary in front",
        [mixed],
        `--c\r\nContent-Type: application/QSIG\r\n\r\n\x08\r\n--c--\r\n${multipart(sdpPart)}`,
        "a line like a delimiter before the first one",
      ],
      [
        "parts: the same behind a preamble",
        [mixed],
        `hello\n--c\r\nContent-Type: application/QSIG\r\n\r\n\x08\r\n--c--\r\n${multipart(sdpPart)}`,
        "a line like a delimiter before the first one",
      ],
      ["near miss: dashes in a preamble", [mixed], `hello -- you\r\n${multipart(sdpPart)}`, "passes"],
      [
        "parts: of another multipart",
        ["Content-Type: multipart/x-own;boundary=b"],
        multipart(sdpPart),
        "passes",
      ],
      [
        "parts: a second behind the last",
        [mixed],
        `${multipart(sdpPart)}${multipart(sdpPart)}`,
        "a delimiter after the last one",
      ],
      [
        "parts: lines that end in LF",
        [mixed],
        multipart(sdpPart).replaceAll("\r", ""),
        "a line that only begins like a delimiter",
      ],
      ["parts: no end", [mixed], multipart(sdpPart).replace("--b--", ""), "no last delimiter"],
      ["parts: of no type, SDP", [mixed], multipart([""]), "passes"],
      ["parts: of no type, ISUP", [mixed], multipart(["", iam]), "a part without Content-Type"],
      ["parts: of no type, GTD", [mixed], multipart(["", gtd]), "a part without Content-Type"],
      [
        "parts: two types",
        [mixed],
        multipart([`${sdpPart[0]}\r\nc: application/gtd`, gtd]),
        "c appears twice",
      ],
      [
        "parts: compressed",
        [mixed],
        multipart([`${sdpPart[0]}\r\nContent-Encoding: gzip`]),
        "a part with Content-Encoding",
      ],
      [
        "parts: encoded all",
        [mixed, "Content-Transfer-Encoding: base64"],
        "LS1i",
        "parts inside an encoded body",
      ],
      [
        "parts: SDP as base64",
        [mixed],
        multipart([`${sdpPart[0]}\r\nContent-Transfer-Encoding: base64`, "dj0w"]),
        "passes",
      ],
      ["a digest", ["Content-Type: multipart/digest;boundary=b"], multipart(["", "From: x\r\n"]), "a digest"],
      [
        "the second of three",
        [mixed],
        multipart(sdpPart, ["Content-Type: application/gtd", gtd], sdpPart),
        "application/gtd",
      ],
      [
        "required or not",
        [mixed],
        multipart(sdpPart, [
          "Content-Type: application/gtd\r\nContent-Disposition: signal;handling=optional",
          gtd,
        ]),
        "application/gtd",
      ],
    ];
    for (const [name, headers, body, found] of rows) t.equal(find(headers, body), found, name);
  },
);

void t.test("types that the trunk allows", async (t) => {
  const further = ["application/qsig"];
  const both = multipart(sdpPart, ["Content-Type: application/QSIG", "\x08"]);
  t.equal(find(["Content-Type: application/QSIG;version=iso"], "\x08", { further }), "passes");
  t.equal(find([mixed], both, { further }), "passes");
  t.equal(find(["Content-Type: application/x-qsig"], "\x08", { further }), "application/x-qsig");
  t.equal(find(["Content-Type: application/QSIG", "e: gzip"], "\x1f", { further }), "Content-Encoding");
});

void t.test("requests whose bodies can name a caller", async (t) => {
  const type = ["Content-Type: message/sipfrag"];
  for (const method of ["INVITE", "UPDATE", "INFO", "PRACK", "ACK", "MESSAGE", "REFER"])
    t.equal(find(type, "SIP/2.0 200 OK", { method }), "message/sipfrag", method);
  for (const method of ["NOTIFY", "SUBSCRIBE", "PUBLISH", "REGISTER", "OPTIONS", "BYE", "CANCEL"])
    t.equal(find(type, "SIP/2.0 200 OK", { method }), "passes", method);
});

void t.test("a body of 64 kB is read in linear time", async (t) => {
  for (const piece of [
    "\r\n",
    "--b\r\n",
    "--b\r\nc: multipart/mixed;boundary=b\r\n\r\n",
    "isup",
    "x/isup",
    "é",
    ",",
  ]) {
    const body = piece.repeat(65_000 / piece.length);
    const before = process.cpuUsage();
    for (const headers of [[mixed], [], ["Content-Type: text/plain"]]) find(headers, body);
    const spent = millisecondsSince(before);
    t.ok(spent < 500, `${JSON.stringify(piece)}: ${spent} ms`);
  }
});
