import { Buffer } from "node:buffer";
import t from "tap";
import { Header } from "../../src/sip/header.ts";
import { createMessage, headerValue } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { request } from "../support/proxy.ts";

const message = createMessage();

function scanText(text: string): typeof message {
  return scan(message, Buffer.from(text, "latin1"));
}

void t.test("an ordinary INVITE", async (t) => {
  scanText(request({ headers: ["Contact: <sip:a@b>", "X-Thing:  some \t value  "], body: "v=0\r\n" }));
  t.equal(message.kind, "request");
  t.equal(message.fault, undefined);
  t.equal(message.method, "INVITE");
  t.equal(message.text.slice(message.uriStart, message.uriEnd), "sip:02787654321@192.0.2.1");
  t.equal(message.cseq, 1);
  t.equal(message.maxForwards, 70);
  t.equal(message.bytes.toString("latin1", message.bodyStart, message.end), "v=0\r\n");
  t.equal(headerValue(message, 7), "some \t value", "values are trimmed of white space");
});

void t.test("names: case, compact forms, white space before the colon", async (t) => {
  for (const [name, id] of [
    ["Via", Header.via],
    ["v", Header.via],
    ["FROM", Header.from],
    ["f", Header.from],
    ["cAlL-iD", Header.callId],
    ["i", Header.callId],
    ["P-Asserted-Identity \t", Header.pAssertedIdentity],
    ["l", Header.contentLength],
    ["e", Header.contentEncoding],
    ["P-Asserted-Identity2", Header.other],
    ["P-Asserted-Identit", Header.other],
    ["Fron", Header.other],
    // Folding case by a bit would turn "@" into a backquote and "M" into "-": neither may match.
    ["CallMID", Header.other],
  ] as const) {
    scanText(`OPTIONS sip:a SIP/2.0\r\n${name}: x\r\n\r\n`);
    t.equal(message.ids[0], id, name);
  }
});

void t.test("folded values read as one line", async (t) => {
  scanText("OPTIONS sip:a SIP/2.0\r\nSubject: one\r\n two\r\n\t three  \r\nVia: x\r\n\r\n");
  t.equal(headerValue(message, 0), "one two three");
  t.equal(message.headerCount, 2);
});

void t.test("what keeps a message from being judged safely", async (t) => {
  const good = request();
  const rows: readonly (readonly [string, string, string | undefined])[] = [
    ["nothing", good, undefined],
    ["From twice", good.replace("\r\nTo:", "\r\nFrom: <sip:b@c>;tag=2\r\nTo:"), "From appears 2 times"],
    [
      "From long and compact",
      good.replace("\r\nTo:", "\r\nf: <sip:b@c>;tag=2\r\nTo:"),
      "From appears 2 times",
    ],
    ["Call-ID twice", good.replace("\r\nTo:", "\r\ni: x\r\nTo:"), "Call-ID appears 2 times"],
    [
      "Content-Length twice, equal",
      good.replace("\r\nTo:", "\r\nl: 0\r\nTo:"),
      "Content-Length appears 2 times",
    ],
    [
      "Content-Type twice",
      good.replace("\r\nTo:", "\r\nc: a/b\r\nContent-Type: a/c\r\nTo:"),
      "Content-Type appears 2 times",
    ],
    [
      "two PAI lines are legal",
      good.replace("\r\nTo:", "\r\nP-Asserted-Identity: <sip:1@a>\r\nP-Asserted-Identity: <tel:+1>\r\nTo:"),
      undefined,
    ],
    [
      "NUL in a value",
      good.replace("Contact: <sip:", "Contact: <sip:\0"),
      "control byte 0x00 in a header field",
    ],
    [
      "DEL in a value",
      good.replace("Contact: <sip:", "Contact: <sip:\x7f"),
      "control byte 0x7f in a header field",
    ],
    ["tab in a value is white space", good.replace("Contact: ", "Contact:\t"), undefined],
    ["bare CR", good.replace("Contact: ", "Contact: \rX: "), "CR without LF"],
    ["LF only, one line", good.replace("\r\nContact", "\nContact"), "line ends with LF only"],
    ["LF only, all", good.replaceAll("\r\n", "\n"), "start line ends with LF only"],
    [
      "no colon",
      good.replace("Contact: <sip:pbx@203.0.113.10:5060>", "Contact"),
      "header field without a name and a colon",
    ],
    ["empty name", good.replace("Contact:", ":"), "header field without a name and a colon"],
    ["space inside a name", good.replace("Contact:", "Con tact:"), "header field without a name and a colon"],
    ["no end of the headers", good.slice(0, -2), "no empty line after the header fields"],
    [
      "Content-Length beyond the body",
      good.replace("Content-Length: 0", "Content-Length: 1"),
      "Content-Length is larger than the body",
    ],
    [
      "Content-Length negative",
      good.replace("Content-Length: 0", "Content-Length: -1"),
      "Content-Length is not a number",
    ],
    [
      "Content-Length +0",
      good.replace("Content-Length: 0", "Content-Length: +0"),
      "Content-Length is not a number",
    ],
    [
      "Content-Length overflowing",
      good.replace("Content-Length: 0", "Content-Length: 4294967296"),
      "Content-Length is not a number",
    ],
    ["Max-Forwards 255", good.replace("Max-Forwards: 70", "Max-Forwards: 255"), undefined],
    [
      "Max-Forwards 256",
      good.replace("Max-Forwards: 70", "Max-Forwards: 256"),
      "Max-Forwards is not a number of 0 to 255",
    ],
    ["CSeq 2^31-1", good.replace("CSeq: 1 ", "CSeq: 2147483647 "), undefined],
    [
      "CSeq 2^31",
      good.replace("CSeq: 1 ", "CSeq: 2147483648 "),
      "CSeq is not a number below 2^31 and a method",
    ],
    [
      "CSeq of another method",
      good.replace("1 INVITE", "1 invite"),
      "CSeq method differs from the request's",
    ],
    [
      "CSeq without a space",
      good.replace("1 INVITE", "1INVITE"),
      "CSeq is not a number below 2^31 and a method",
    ],
    ["no Via", good.replace(/Via: .*\r\n/, ""), "Via is missing"],
    ["no To", good.replace(/To: .*\r\n/, ""), "To is missing"],
    ["empty Call-ID", good.replace(/Call-ID: .*\r\n/, "Call-ID:\r\n"), "Call-ID is empty"],
    ["SIP/3.0", good.replace("SIP/2.0\r\n", "SIP/3.0\r\n"), "SIP version is not 2.0"],
    [
      "two spaces in the request line",
      good.replace("INVITE ", "INVITE  "),
      "request line is not METHOD SP URI SP SIP/2.0",
    ],
    [
      "257 header fields",
      good.replace("\r\nContact", `${"\r\nX: y".repeat(250)}\r\nContact`),
      "more than 256 header fields",
    ],
    ["256 header fields", good.replace("\r\nContact", `${"\r\nX: y".repeat(248)}\r\nContact`), undefined],
  ];
  for (const [name, text, fault] of rows) {
    if (name !== "nothing" && fault !== undefined) t.not(text, good, `${name}: the row changes the message`);
    t.equal(scanText(text).fault, fault, name);
  }
});

void t.test("what is no SIP at all", async (t) => {
  for (const text of [
    "",
    "\r\n\r\n",
    "\0\0\0\0",
    "hello",
    "GET / HTTP/1.1\r\n\r\n",
    "INVITE sip:a SIP/2.0",
    "SIP/2.0 1000 Odd\r\n\r\n",
    "SIP/2.0 099 Odd\r\n\r\n",
    "SIP/2.0 200OK\r\n\r\n",
  ]) {
    t.equal(scanText(text).kind, "other", JSON.stringify(text));
  }
  t.equal(scanText("\r\n\r\n").end, 0, "keep-alives are nothing to count");
  t.equal(
    scanText("\r\n\r\nOPTIONS sip:a SIP/2.0\r\n\r\n").kind,
    "request",
    "CRLFs in front of a message are skipped",
  );
});

void t.test("status lines", async (t) => {
  t.equal(scanText("SIP/2.0 200 OK\r\nVia: x\r\n\r\n").status, 200);
  t.equal(scanText("SIP/2.0 100 \r\nVia: x\r\n\r\n").status, 100, "the reason phrase may be empty");
});
