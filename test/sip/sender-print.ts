// What the sender of a request looks like: what changes the print, what does not, and hostile octets.
import { Buffer } from "node:buffer";
import t from "tap";
import { readSenderPrint } from "../../src/sip/fields/sender-print.ts";

const invite = (agent: string, media = "m=audio 4000 RTP/AVP 8 0", rest = ""): Buffer =>
  Buffer.from(
    `INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c\r\n${agent}\r\n${rest}Content-Length: 0\r\n\r\nv=0\r\n${media}\r\n`,
    "latin1",
  );

void t.test("sender print: user agent and codecs, and nothing else", (t) => {
  const print = readSenderPrint(invite("User-Agent: pbx/4"));
  const rows: readonly (readonly [name: string, bytes: Buffer, same: boolean])[] = [
    ["the same again", invite("User-Agent: pbx/4"), true],
    ["another case of the name", invite("USER-AGENT: pbx/4"), true],
    ["another port", invite("User-Agent: pbx/4", "m=audio 4002 RTP/AVP 8 0"), true],
    ["another field", invite("User-Agent: pbx/4", undefined, "Subject: x\r\n"), true],
    ["another version", invite("User-Agent: pbx/5"), false],
    ["other codecs", invite("User-Agent: pbx/4", "m=audio 4000 RTP/AVP 8"), false],
    ["a field whose name begins alike", invite("User-Agents: pbx/4"), false],
    ["no user agent", invite("Server: pbx/4"), false],
  ];
  t.not(print, 0);
  for (const [name, bytes, same] of rows) t.equal(readSenderPrint(bytes) === print, same, name);
  t.end();
});

void t.test("sender print: octets that are no message", (t) => {
  for (const text of [
    "",
    "\r\n",
    "User-Agent",
    "User-Agent:",
    "m=",
    "m=audio 1 2",
    "\n\nm=a b c ",
    "\r".repeat(9000),
  ])
    t.type(readSenderPrint(Buffer.from(text, "latin1")), "number", JSON.stringify(text.slice(0, 20)));
  t.equal(readSenderPrint(Buffer.from("INVITE sip:a SIP/2.0\r\n\r\n")), 0, "nothing told");
  t.end();
});
