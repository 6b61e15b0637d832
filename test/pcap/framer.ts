import t from "tap";
import { createSipFramer, FramingLimit, maySipStart } from "../../src/sip/framer.ts";
import { createRandom } from "./reading.ts";

const VIA = "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1\r\n";
const options = `OPTIONS sip:a@192.0.2.2 SIP/2.0\r\n${VIA}Content-Length: 0\r\n\r\n`;
const ringing = `SIP/2.0 180 Ringing\r\n${VIA}l:0\r\n\r\n`;
const invite = `INVITE sip:b@192.0.2.2 SIP/2.0\r\n${VIA}Content-Length: 39\r\nContent-Type: text/plain\r\n\r\nBYE sip:c@192.0.2.3 SIP/2.0\r\nl: 0\r\n\r\n\r\n`;

/** What a framer makes of a stream, in words; after a fault it looks for the next start line when `resync` says so. */
function frame(stream: string, nextSize: () => number = () => stream.length, resync = false): string[] {
  const framer = createSipFramer();
  const seen: string[] = [];
  const bytes = Buffer.from(stream, "latin1");
  const chunk = Buffer.alloc(bytes.length);
  for (let at = 0; at < bytes.length;) {
    const size = Math.max(1, Math.min(nextSize(), bytes.length - at));
    bytes.copy(chunk, 0, at, at + size);
    framer.push(chunk.subarray(0, size));
    for (let event = framer.next(); event !== undefined; event = framer.next()) {
      if (event.kind === "message") seen.push(event.bytes.toString("latin1"));
      else seen.push(event.kind === "ping" ? "ping" : `fault: ${event.why}`);
      if (event.kind === "fault" && resync) framer.resync();
    }
    // The caller's memory is its own again: what the framer still needs it has copied.
    chunk.fill(0, 0, size);
    at += size;
  }
  return seen;
}

const headers = (fields: string): string => `OPTIONS sip:a@b SIP/2.0\r\n${fields}\r\n`;

const rows: readonly (readonly [name: string, stream: string, expected: readonly string[]])[] = [
  ["one message", options, [options]],
  ["messages back to back", options + ringing + invite + options, [options, ringing, invite, options]],
  ["a message in a body is a body", invite, [invite]],
  ["a CRLF between messages is nothing", `${options}\r\n${ringing}`, [options, ringing]],
  ["two are a ping", `${options}\r\n\r\n${ringing}`, [options, "ping", ringing]],
  ["four are two, five as well", `\r\n\r\n\r\n\r\n\r\n${ringing}`, ["ping", "ping", ringing]],
  ["the compact form", headers("l: 0\r\n"), [headers("l: 0\r\n")]],
  ["letters of either case", headers("cOnTeNt-LeNgTh:0\r\n"), [headers("cOnTeNt-LeNgTh:0\r\n")]],
  ["space before the colon", headers("Content-Length \t: 0\r\n"), [headers("Content-Length \t: 0\r\n")]],
  ["folded", `${headers("Content-Length:\r\n  3\r\n")}abc`, [`${headers("Content-Length:\r\n  3\r\n")}abc`]],
  [
    "folded with nothing in the continuation",
    `${headers("Content-Length: 3\r\n \r\n")}abc`,
    [`${headers("Content-Length: 3\r\n \r\n")}abc`],
  ],
  [
    "a number broken by folding",
    headers("Content-Length: 1\r\n 2\r\n"),
    ["fault: Content-Length is not a number"],
  ],
  [
    "a field that only ends like it",
    headers("X-Content-Length: 7\r\nl: 0\r\n"),
    [headers("X-Content-Length: 7\r\nl: 0\r\n")],
  ],
  [
    "in the continuation of another field",
    headers("Subject: x\r\n Content-Length: 7\r\nl: 0\r\n"),
    [headers("Subject: x\r\n Content-Length: 7\r\nl: 0\r\n")],
  ],
  ["twice the same", headers("Content-Length: 0\r\nl: 0\r\n"), [headers("Content-Length: 0\r\nl: 0\r\n")]],
  [
    "twice, not the same",
    headers("Content-Length: 0\r\nl: 5\r\n"),
    ["fault: Content-Length fields that differ"],
  ],
  ["none", headers("Subject: x\r\n"), ["fault: no Content-Length"]],
  ["no fields at all", headers(""), ["fault: no Content-Length"]],
  ["negative", headers("Content-Length: -1\r\n"), ["fault: Content-Length is not a number"]],
  ["empty", headers("Content-Length:\r\n"), ["fault: Content-Length is not a number"]],
  ["with a plus", headers("Content-Length: +1\r\n"), ["fault: Content-Length is not a number"]],
  ["hexadecimal", headers("Content-Length: 0x10\r\n"), ["fault: Content-Length is not a number"]],
  ["two numbers", headers("Content-Length: 1 2\r\n"), ["fault: Content-Length is not a number"]],
  ["a list", headers("Content-Length: 0,0\r\n"), ["fault: Content-Length is not a number"]],
  ["eleven digits", headers("Content-Length: 00000000000\r\n"), ["fault: Content-Length is not a number"]],
  ["binary", "\x16\x03\x01\x02\x00\x01", ["fault: not a SIP start line"]],
  ["another protocol", "GET / HTTP/1.1\r\n\r\n", ["fault: not a SIP start line"]],
  ["a line feed alone", "OPTIONS sip:a@b SIP/2.0\nl: 0\n\n", ["fault: line ends with LF only"]],
  [
    "a line feed alone in the fields",
    "OPTIONS sip:a@b SIP/2.0\r\nSubject: x\nl: 0\r\n\r\n",
    ["fault: line ends with LF only"],
  ],
  [
    "a line feed alone as the empty line",
    "OPTIONS sip:a@b SIP/2.0\r\nl: 0\r\n\nx",
    ["fault: line ends with LF only"],
  ],
  ["not whole yet", invite.slice(0, -1), []],
  ["nothing behind a fault", `${headers("Subject: x\r\n")}${options}`, ["fault: no Content-Length"]],
];

void t.test("a stream is cut by Content-Length, however it arrives", async (t) => {
  const random = createRandom(5);
  for (const [name, stream, expected] of rows) {
    t.same(frame(stream), expected, name);
    t.same(
      frame(stream, () => 1),
      expected,
      `${name}, byte by byte`,
    );
    for (let cut = 1; cut < stream.length; cut += 1) {
      let first = true;
      const sizes = (): number => (first ? ((first = false), cut) : stream.length);
      const seen = frame(stream, sizes);
      if (seen.join("|") !== expected.join("|")) t.same(seen, expected, `${name}, cut at ${cut}`);
    }
    for (let round = 0; round < 20; round += 1) {
      const seen = frame(stream, () => 1 + random(20));
      if (seen.join("|") !== expected.join("|")) t.same(seen, expected, `${name}, random pieces`);
    }
  }
});

// Messages of a given size.
const uri = (size: number): string => `OPTIONS sip:${"a".repeat(size - 20)} SIP/2.0\r\nl: 0\r\n\r\n`;
const many = (count: number): string => headers(`${"a: b\r\n".repeat(count - 1)}l: 0\r\n`);
const long = (size: number): string => headers(`Subject: ${"a".repeat(size - 19)}\r\nl: 0\r\n`);
const body = (size: number): string => `${headers(`l: ${size}\r\n`)}${"b".repeat(size)}`;

void t.test("limits", async (t) => {
  const limits: readonly (readonly [name: string, good: string, bad: string, why: string])[] = [
    [
      "a start line of 8 KiB",
      uri(FramingLimit.startLine - 1),
      uri(FramingLimit.startLine + 2),
      "start line of more than 8192 bytes",
    ],
    ["256 fields", many(256), many(257), "more than 256 header fields"],
    [
      "64 KiB of fields",
      long(FramingLimit.headers),
      long(FramingLimit.headers + 10),
      "header fields of more than 65536 bytes",
    ],
    [
      "256 KiB of body",
      body(FramingLimit.body),
      body(FramingLimit.body + 1),
      "body of more than 262144 bytes",
    ],
  ];
  for (const [name, good, bad, why] of limits) {
    for (const size of [Number.POSITIVE_INFINITY, 1000, 1]) {
      t.equal(frame(good, () => size).length, 1, `${name}: allowed`);
      t.notMatch(frame(good, () => size)[0], "fault", name);
      t.same(
        frame(bad, () => size),
        [`fault: ${why}`],
        `${name}: one more`,
      );
    }
  }
  t.same(
    frame(`OPTIONS ${"a".repeat(9000)}`, () => 100),
    ["fault: start line of more than 8192 bytes"],
    "without an end",
  );
});

void t.test("behind a fault the next start line is found", async (t) => {
  const lost = headers("Subject: x\r\n");
  const cases: readonly (readonly [name: string, stream: string, expected: readonly string[]])[] = [
    ["a message without a length", lost + options, ["fault: no Content-Length", options]],
    [
      "with a body that looks like nothing",
      `${lost}v=0\r\no=- 1 1\r\n${options}`,
      ["fault: no Content-Length", options],
    ],
    [
      "binary, then a message",
      `\x00\x01\x02\r\n${options}${ringing}`,
      ["fault: not a SIP start line", options, ringing],
    ],
    ["binary without a line end", "\x00\x01\x02", ["fault: not a SIP start line"]],
    [
      "two faults",
      `${lost}${lost}${options}`,
      ["fault: no Content-Length", "fault: no Content-Length", options],
    ],
    ["a body without a line end", `${lost}--boundary--${options}`, ["fault: no Content-Length", options]],
    [
      "a Via is no start line",
      `${lost}Via: SIP/2.0/TCP a\r\n${VIA}${options}`,
      ["fault: no Content-Length", options],
    ],
  ];
  for (const [name, stream, expected] of cases) {
    t.same(frame(stream, undefined, true), expected, name);
    t.same(
      frame(stream, () => 1, true),
      expected,
      `${name}, byte by byte`,
    );
  }
});

void t.test("a framer may begin in the middle of a stream", async (t) => {
  for (const [name, stream] of [
    ["at a message", options],
    ["inside a body", `o=- 1 1 IN IP4 192.0.2.1\r\na=rtpmap:8 PCMA/8000\r\n${options}`],
    ["inside a header line", invite.slice(40) + options],
  ] as const) {
    for (const size of [stream.length, 1]) {
      const framer = createSipFramer("seek");
      const seen: string[] = [];
      for (let at = 0; at < stream.length; at += size) {
        framer.push(Buffer.from(stream.slice(at, at + size), "latin1"));
        for (let event = framer.next(); event !== undefined; event = framer.next()) {
          seen.push(event.kind === "message" ? event.bytes.toString("latin1") : event.kind);
        }
      }
      t.equal(seen.at(-1), options, `${name}, in pieces of ${size}`);
    }
  }
});

void t.test("a gap drops what is held", async (t) => {
  const framer = createSipFramer();
  framer.push(Buffer.from(invite.slice(0, 60)));
  t.equal(framer.next(), undefined);
  t.equal(framer.rest().toString(), invite.slice(0, 60));
  framer.resync();
  t.equal(framer.rest().length, 0);
  framer.push(Buffer.from(`rest of it\r\n${options}`));
  t.match(framer.next(), { kind: "message", bytes: Buffer.from(options) });
});

/** Microseconds to frame a message with one long line, byte by byte. */
function work(size: number): number {
  const stream = headers(`Subject: ${"a".repeat(size)}\r\nl: 0\r\n`);
  const begin = process.cpuUsage();
  for (let round = 0; round < 20; round += 1) frame(stream, () => 1);
  return process.cpuUsage(begin).user;
}

void t.test("work grows with the bytes, not with their square", async (t) => {
  work(2000);
  const small = work(4000);
  const large = work(40_000);
  t.ok(large < small * 60, `ten times the bytes took ${(large / small).toFixed(1)} times as long`);
});

void t.test("the first look costs nothing and loses nothing", async (t) => {
  const looks: readonly (readonly [bytes: string, expected: boolean])[] = [
    ["INVITE sip:a@b SIP/2.0\r\n", true],
    ["SIP/2.0 200 OK\r\n", true],
    ["sip/2.0 200 OK\r\n", true],
    ["interesting-Method0123456789_*+`.%indeed'~ sip:a SIP/2.0", true],
    ["INVITE", false],
    ["\x80\x08\x12\x34", false],
    ["\0\0", false],
    ["", false],
    [" INVITE sip:a@b SIP/2.0", false],
    ["jaK\0", false],
    ["GET/ x", false],
  ];
  for (const [text, expected] of looks) {
    const bytes = Buffer.from(text, "latin1");
    t.equal(maySipStart(bytes, 0, bytes.length), expected, JSON.stringify(text));
  }
});

void t.test("a stream that says nothing holds no memory, however long its last message was", async (t) => {
  const filling = "x".repeat(200_000);
  const text = `MESSAGE sip:a SIP/2.0\r\nContent-Length: ${filling.length}\r\n\r\n${filling}`;
  const framer = createSipFramer();
  framer.push(Buffer.from(text.slice(0, 150_000)));
  t.equal(framer.next(), undefined);
  framer.push(Buffer.from(text.slice(150_000)));
  const event = framer.next();
  t.equal(framer.next(), undefined);
  t.equal(framer.rest().buffer.byteLength, 0);
  t.equal(event?.kind === "message" ? event.bytes.toString() : "", text, "and who has it keeps it");
  framer.push(Buffer.from("\r\n\r\n"));
  t.same(framer.next(), { kind: "ping" }, "and it goes on");
});
