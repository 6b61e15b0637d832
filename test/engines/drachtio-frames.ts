import { Buffer } from "node:buffer";
import t from "tap";
import { createFrameReader, type FrameReader } from "../../src/engines/drachtio/frames.ts";

interface Bench {
  readonly reader: FrameReader;
  /** What came of the frames, in order. */
  readonly seen: string[];
}

function openReader(): Bench {
  const seen: string[] = [];
  const reader = createFrameReader({
    frame: (text) => seen.push(`${text} with ${reader.message.length} octets`),
    reported: (event, source, message, detail) =>
      seen.push(`${event} by ${source} "${detail}": ${message.toString("latin1")}`),
  });
  return { reader, seen };
}

const frame = (text: string): Buffer => {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([Buffer.from(`${bytes.length}#`), bytes]);
};

const invite = 'INVITE sip:1@b SIP/2.0\r\nSubject: "\xff" 12#34\r\n\r\n5#a|b|c';
const head = "1|sip|network|60|udp|192.0.2.1|5060|08:15:02.000000|t1||192.0.2.9|5060|";
const table: readonly (readonly [string, string, string])[] = [
  ["an answer of the server's", "1|response|2|OK|pong", "1|response|2|OK|pong with 0 octets"],
  [
    "a request, of which the package gets the start line",
    `${head}\r\n${invite}`,
    `${head}\r\nINVITE sip:1@b SIP/2.0\r\n\r\n with ${invite.length} octets`,
  ],
  [
    "an answer to a call that was passed on",
    "1|response|2|OK|network|40|udp|192.0.2.1|5060|08:15:02.000000|t1||continue|\r\nSIP/2.0 180 Ringing\r\nTo: <sip:1@b>\r\n\r\n",
    "1|response|2|OK|network|40|udp|192.0.2.1|5060|08:15:02.000000|t1||continue|\r\nSIP/2.0 180 Ringing\r\n\r\n with 38 octets",
  ],
  [
    "a message without a line end",
    "1|sip|network\r\nINVITE",
    "1|sip|network\r\nINVITE\r\n\r\n with 6 octets",
  ],
  ["a call began", `1|cdr:attempt|network|08:15:02.000000\r\n${invite}`, `attempt by network "": ${invite}`],
  [
    "a call was answered",
    "1|cdr:start|application|08:15:02.000000|proxy-uas\r\nSIP/2.0 200 OK\r\n\r\n",
    'start by application "proxy-uas": SIP/2.0 200 OK\r\n\r\n',
  ],
  [
    "a call ended",
    "1|cdr:stop|network|08:15:02.000000|normal-release\r\nBYE sip:1@b SIP/2.0\r\n\r\n",
    'stop by network "normal-release": BYE sip:1@b SIP/2.0\r\n\r\n',
  ],
];

void t.test("drachtio frames: each as the package needs it, the message whole for us", (t) => {
  for (const [what, text, expected] of table) {
    const { reader, seen } = openReader();
    reader.read(frame(text));
    t.same(seen, [expected], what);
    t.equal(reader.message.length, 0, `${what}: no message is left`);
  }
  t.end();
});

void t.test("drachtio frames: however the stream is cut", (t) => {
  const stream = Buffer.concat(table.map(([, text]) => frame(text)));
  const expected = table.map(([, , outcome]) => outcome);
  for (const size of [1, 2, 3, 7, 64, 200, stream.length - 1, stream.length]) {
    const { reader, seen } = openReader();
    for (let at = 0; at < stream.length; at += size) reader.read(stream.subarray(at, at + size));
    t.same(seen, expected, `${size} octets at a time`);
  }
  t.end();
});

void t.test("drachtio frames: a long one waits for its end, and what follows it is read", (t) => {
  const { reader, seen } = openReader();
  const body = "x".repeat(2_000_000);
  const stream = Buffer.concat([
    frame(`1|sip|network\r\nINVITE sip:1@b SIP/2.0\r\n\r\n${body}`),
    frame("1|response|2|OK"),
  ]);
  for (let at = 0; at < stream.length; at += 65_536) reader.read(stream.subarray(at, at + 65_536));
  t.equal(seen.length, 2);
  t.match(seen[0], /with 2000026 octets$/);
  t.end();
});

void t.test("drachtio frames: what can't be the beginning of one is an error, at once", (t) => {
  for (const text of ["what#is this", "#", "-1#", "0x5#", " 5#", "12345678", "99999999#", "4194305#", "5 #"])
    t.throws(
      () => openReader().reader.read(Buffer.from(text)),
      { message: "a frame without a length" },
      text,
    );
  const { reader, seen } = openReader();
  t.throws(() => reader.read(Buffer.concat([frame("1|response|2|OK"), Buffer.from("x")])));
  t.equal(seen.length, 1, "after what came whole");
  t.end();
});
