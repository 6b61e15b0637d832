import { Buffer } from "node:buffer";
import t from "tap";
import { claimsIsup } from "../../src/sip/bodies/body.ts";
import { createMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { millisecondsSince } from "../support/cpu-time.ts";
import { request } from "../support/proxy.ts";

const message = createMessage();

function claims(headers: readonly string[], body: string): boolean {
  scan(message, Buffer.from(request({ headers, body }), "latin1"));
  return claimsIsup(message);
}

const sdp = "v=0\r\n";
const mixed = "Content-Type: multipart/mixed;boundary=b";

/** A multipart body of parts that are header lines, an empty line and something. */
function parts(...heads: readonly string[]): string {
  return `${heads.map((head) => `--b\r\n${head}\r\n\r\nv=0\r\n`).join("")}--b--\r\n`;
}

const sdpPart = "Content-Type: application/sdp";

void t.test("a body that says it is ISUP", async (t) => {
  const rows: readonly (readonly [string, readonly string[], string, boolean])[] = [
    ["no body", [], "", false],
    ["a body of no type", [], "ISUP", false],
    ["SDP", ["Content-Type: application/sdp"], sdp, false],
    ["SDP in odd case, with a parameter", ["c: Application / SDP ; x=application/isup"], sdp, false],
    ["SDP that talks of it", ["Content-Type: application/sdp"], "s=application/isup\r\n", false],
    ["near miss: a text that does", ["Content-Type: text/plain"], "application/isup", false],
    ["ISUP", ["Content-Type: application/ISUP;version=itu-t92+"], "\x01", true],
    ["ISUP without a body", ["Content-Type: application/ISUP"], "", true],
    ["compact", ["c: application/isup"], "\x01", true],
    ["spaces", ["Content-Type: application / ISUP;version=x"], "\x01", true],
    ["tabs", ["Content-Type:\tapplication\t/\tISUP\t;version=x"], "\x01", true],
    ["folded behind the slash", ["Content-Type: application/\r\n ISUP"], "\x01", true],
    ["folded three times", ["Content-Type:\r\n application\r\n\t/\r\n  ISUP"], "\x01", true],
    ["a type of its own", ["Content-Type: application/x-isup"], "\x01", true],
    ["two types", ["Content-Type: application/sdp, application/isup"], "\x01", true],
    ["near miss", ["Content-Type: application/QSIG"], "\x01", false],
  ];
  for (const [name, headers, body, claimed] of rows) t.equal(claims(headers, body), claimed, name);
});

void t.test("a part that says it is ISUP", async (t) => {
  const rows: readonly (readonly [string, string, boolean, string?])[] = [
    ["SDP alone", parts(sdpPart), false],
    ["SDP and a picture", parts(sdpPart, "Content-Type: image/jpeg"), false],
    ["ISUP second", parts(sdpPart, "Content-Type: application/ISUP;version=x"), true],
    ["odd case", parts("CONTENT-TYPE: Application/IsUp"), true],
    ["spaces", parts("Content-Type : application / ISUP"), true],
    ["folded", parts("Content-Type: application/\r\n ISUP"), true],
    ["folded before the slash", parts("Content-Type:\r\n\tapplication\r\n /\r\n\t ISUP"), true],
    ["lines that end in LF", parts("Content-Type: application/\r\n ISUP").replaceAll("\r", ""), true],
    ["a comment", parts("Content-Type: application/(see RFC 3204) ISUP"), true],
    ["near miss: half of it", parts("Content-Type: application/sdp;x=is\r\nX-Up: isup"), false],
    ["a name of its own", parts(sdpPart, "Content-Type: application/x-isup;version=x"), true],
    ["another", parts("Content-Type: application/vnd.acme.isup+xml"), true],
    ["a comment, and a name of its own", parts("Content-Type: application/(x)x-ISUP"), true],
    ["near miss: a field of that name", parts(`${sdpPart}\r\nX-ISUP: 1`), false],
    ["near miss: a parameter", parts(`${sdpPart};isup=1`), false],
    ["behind the last boundary", `${parts(sdpPart)}Content-Type: application/ISUP\r\n\r\n\x01`, true],
    ["multipart with spaces", parts("c:application/isup"), true, "multipart / mixed ; boundary=b"],
    ["multipart folded", parts("c:application/isup"), true, "multipart/\r\n mixed;boundary=b"],
    ["another multipart", parts("c:application/isup"), true, "multipart/related"],
    ["a message in a message", "SIP/2.0 200 OK\r\nc: application/isup\r\n\r\n\x01", true, "message/sip"],
    ["near miss: a message", "SIP/2.0 200 OK\r\nc: application/sdp\r\n\r\nv=0", false, "message/sip"],
    ["nested", parts(`${mixed}2\r\n\r\n--b2\r\n${sdpPart}\r\n\r\n--b2\r\nc: application/isup`), true],
    ["near miss: nested", parts(`${mixed}2\r\n\r\n--b2\r\n${sdpPart}\r\n\r\n--b2--`), false],
  ];
  for (const [name, body, claimed, type] of rows)
    t.equal(claims([type === undefined ? mixed : `Content-Type: ${type}`], body), claimed, name);
});

void t.test("an encoding that hides what a body says", async (t) => {
  const gzip = "Content-Encoding: gzip";
  const base64 = "Content-Transfer-Encoding: base64";
  const rows: readonly (readonly [string, readonly string[], string, boolean])[] = [
    ["compressed multipart", [mixed, gzip], "\x1f\x8b", true],
    ["compact", [mixed, "e: deflate"], "\x1f\x8b", true],
    ["a list", [mixed, "Content-Encoding: identity, gzip"], "\x1f\x8b", true],
    ["of another type", ["Content-Type: application/octet-stream", gzip], "\x1f\x8b", true],
    ["of no type", [gzip], "\x1f\x8b", true],
    ["near miss: no body", [gzip], "", false],
    ["near miss: SDP can't become ISUP", ["Content-Type: application/sdp", gzip], "\x1f\x8b", false],
    ["near miss: identity", [mixed, "Content-Encoding: Identity"], parts(sdpPart), false],
    ["compressed part", [mixed], parts(`${sdpPart}\r\nContent-Encoding : gzip`), true],
    ["compressed part, folded", [mixed], parts(`content-encoding:\r\n gzip\r\n${sdpPart}`), true],
    ["near miss: a part's identity", [mixed], parts(`${sdpPart}\r\nContent-Encoding: identity`), false],
    ["near miss: another field", [mixed], parts(`${sdpPart}\r\nX-Content-Encoding: gzip`), false],
    ["multipart as base64", [mixed, base64], "LS1i", true],
    ["multipart as quoted-printable", [mixed, "content-transfer-encoding: Quoted-Printable"], "=2D", true],
    ["the second of two", [mixed, "Content-Transfer-Encoding: 8bit", base64], "LS1i", true],
    ["near miss: multipart as binary", [mixed, "Content-Transfer-Encoding: BINARY"], parts(sdpPart), false],
    ["near miss: SDP as base64", ["Content-Type: application/sdp", base64], "dj0w", false],
    [
      "near miss: a picture as base64",
      [mixed],
      parts(sdpPart, `Content-Type: image/jpeg\r\n${base64}`),
      false,
    ],
    ["nested multipart as base64", [mixed], parts(`Content-Type: multipart/mixed\r\n${base64}`), true],
    ["its fields the other way", [mixed], parts(`${base64}\r\nContent-Type: multipart\r\n /mixed`), true],
    ["a message as base64", [mixed], parts(`Content-Type: message/sip\r\n${base64}`), true],
    ["an encoding with a comment", [mixed], parts(`c: message/sip\r\n${base64} (or so)`), true],
    [
      "near miss: a message as 8bit",
      [mixed],
      parts("c: message/sip\r\nContent-Transfer-Encoding: 8bit"),
      false,
    ],
    ["a digest", ["Content-Type: multipart/digest;boundary=b"], parts(base64), true],
    ["near miss: a digest", ["Content-Type: multipart/digest;boundary=b"], parts("From: x"), false],
  ];
  for (const [name, headers, body, claimed] of rows) t.equal(claims(headers, body), claimed, name);
});

void t.test("a body of 64 kB made of whatever it looks for is read in linear time", async (t) => {
  for (const piece of [
    " ",
    "\r\n ",
    "\n",
    "/",
    ")",
    "/isu",
    "\r\ncontent-encoding:",
    "\r\ncontent-transfer-encoding:\r\n",
  ]) {
    const body = piece.repeat(60_000 / piece.length);
    const started = process.cpuUsage();
    t.equal(claims([mixed], body), false, JSON.stringify(piece));
    t.ok(millisecondsSince(started) < 500, "in time");
  }
});
