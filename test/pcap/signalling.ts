import t from "tap";
import { createAttemptReader } from "../../src/replay/captured-attempts.ts";
import { createSignallingReader } from "../../src/replay/signalling.ts";
import { addressBytes, writeEthernet, writeIp, writeTcp, writeUdp } from "../../src/pcap/packet.ts";
import { formatTime } from "../../src/pcap/timestamp.ts";
import { writePcap } from "../../src/pcap/writer.ts";

const A = { address: "192.0.2.1", port: 40_001 };
const B = { address: "2001:db8::2", port: 5060 };
const C = { address: "198.51.100.2", port: 5062 };
const A6 = { address: "2001:db8::1", port: 5060 };

const options = "OPTIONS sip:b@192.0.2.2 SIP/2.0\r\nContent-Length: 0\r\n\r\n";
const invite = "INVITE sip:b@192.0.2.2 SIP/2.0\r\nContent-Length: 4\r\n\r\nbody";

type End = typeof A;

function udp(from: End, to: End, payload: string | Buffer): Buffer {
  const datagram = writeUdp(from, to, Buffer.from(payload));
  return writeEthernet(writeIp(addressBytes(from.address), addressBytes(to.address), 17, datagram));
}

function tcp(from: End, to: End, sequence: number, payload: string, syn = false): Buffer {
  const segment = writeTcp(from, to, Buffer.from(payload), { sequence, flags: { syn } });
  return writeEthernet(writeIp(addressBytes(from.address), addressBytes(to.address), 6, segment));
}

/** What is read from packets a millisecond apart. */
function read(packets: readonly Buffer[]): string[] {
  const seen: string[] = [];
  const reader = createSignallingReader({
    message(bytes, path, arrival) {
      const [first = ""] = bytes.toString("latin1").split(" ");
      const { transport, sourceAddress, sourcePort, destinationAddress, destinationPort } = path;
      const time = formatTime(arrival).slice(17, 26);
      seen.push(
        `${arrival.frame} ${time} ${transport} ${sourceAddress} ${sourcePort} ${destinationAddress} ${destinationPort} ${first} ${bytes.length}`,
      );
    },
    broken(bytes, why, arrival) {
      seen.push(`${arrival.frame} broken ${bytes.length}: ${why}`);
    },
    msu({ opc, dpc, si, start, end, bytes, fault }, path, arrival) {
      const from = path.sourceAddress === "" ? path.transport : `${path.transport} ${path.sourceAddress}`;
      const user = bytes.toString("hex", start, end);
      seen.push(
        `${arrival.frame} ${from} ${opc}-${dpc} si ${si}: ${user}${fault === undefined ? "" : ` ${fault}`}`,
      );
    },
  });
  const records = packets.map((bytes, i) => ({ seconds: 1_791_015_302, nanos: i * 1_000_000, bytes }));
  reader.push(writePcap(records));
  t.equal(reader.end(), undefined);
  t.equal(reader.frames(), packets.length);
  return seen;
}

void t.test("SIP is found on any port, over UDP and TCP, IPv4 and IPv6", async (t) => {
  t.same(
    read([udp(A, C, options), udp(A6, B, invite), tcp(A, C, 7, "", true), tcp(A, C, 8, invite + options)]),
    [
      `1 02.000000 udp 192.0.2.1 40001 198.51.100.2 5062 OPTIONS ${options.length}`,
      `2 02.001000 udp 2001:db8::1 5060 2001:db8::2 5060 INVITE ${invite.length}`,
      `4 02.003000 tcp 192.0.2.1 40001 198.51.100.2 5062 INVITE ${invite.length}`,
      `4 02.003000 tcp 192.0.2.1 40001 198.51.100.2 5062 OPTIONS ${options.length}`,
    ],
  );
});

void t.test("what is not SIP is passed over", async (t) => {
  const rtp = Buffer.from("8008123400000000deadbeef", "hex");
  const dns = Buffer.from("12340100000100000000000003777777", "hex");
  t.same(read([udp(A, C, rtp), udp(A, C, dns), udp(A, C, "\r\n\r\n"), udp(A, C, ""), udp(A, C, "\0")]), []);
  t.same(
    read([tcp(A, C, 1, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), tcp(A, C, 28, "\x16\x03\x01".repeat(400))]),
    [],
  );
});

void t.test("CRLFs before a datagram's start line stay with it", async (t) => {
  t.same(read([udp(A, C, `\r\n\r\n${options}`)]), [
    `1 02.000000 udp 192.0.2.1 40001 198.51.100.2 5062  ${options.length + 4}`.replace(
      "  ",
      " \r\n\r\nOPTIONS ",
    ),
  ]);
});

/** A line of {@link read} for the TCP direction from A to C. */
function line(frame: number, what: string): string {
  return `${frame} 02.00${frame - 1}000 tcp 192.0.2.1 40001 198.51.100.2 5062 ${what}`;
}

void t.test("a message over several segments counts at the frame that completes it", async (t) => {
  const segments = [
    tcp(A, C, 1, invite.slice(0, 8)),
    tcp(A, C, 9, invite.slice(8, 40)),
    tcp(A, C, 41, invite.slice(40) + options),
  ];
  const [first, second, third] = segments;
  t.same(read(segments), [line(3, `INVITE ${invite.length}`), line(3, `OPTIONS ${options.length}`)]);
  if (first === undefined || second === undefined || third === undefined) return;
  t.same(
    read([first, third, second]),
    [line(3, `INVITE ${invite.length}`), line(3, `OPTIONS ${options.length}`)],
    "out of order",
  );
  t.same(read([first, second]), [`2 broken 40: the capture ends inside the message`], "not whole");
  t.same(
    read([first, third]),
    [`1 broken 8: a TCP segment is missing from the capture`, line(2, `OPTIONS ${options.length}`)],
    "a segment is missing: the next message is found",
  );
});

void t.test("a packet that the capture cut short is broken, not a shorter message", async (t) => {
  const whole = udp(A, C, invite);
  t.same(read([whole.subarray(0, whole.length - 2)]), [
    `1 broken ${invite.length - 2}: the capture holds only a part of the packet`,
  ]);
});

void t.test("a message is counted where it stands: what follows it in the buffer belongs to others", (t) => {
  const rows: readonly (readonly [text: string, messages: number, isInvite: boolean])[] = [
    ["SIP/2.0 200 OK\r\n", 1, false],
    ["sip/2.0 200 OK\n", 1, false],
    ["\r\n\r\nACK sip:a@b SIP/2.0\r\n", 1, false],
    ["OPTIONS sip:a@b SIP/2.0 \r\n", 1, false],
    ["OPTIONS sip:a@b HTTP/1.1\r\n", 0, false],
    ["OPTIONS sip:a@b SIP", 0, false],
    ["SIP/2.0 200 OK", 0, false],
    ["OPTIONS\r\n", 0, false],
    ["INVITE sip:a@b SIP/2.0\r\n", 0, true],
    ["\r\nINVITE sip:a@b SIP/2.0\r\n", 0, true],
    ["INVITE", 0, false],
    ["invite sip:a@b SIP/2.0\r\n", 1, false],
    ["", 0, false],
  ];
  const none = (): void => void t.fail("only looked at");
  for (const [text, messages, isInvite] of rows) {
    const reader = createAttemptReader({ invite: none, iam: none, malformed: none });
    // The octets behind the end would make a message of every row.
    const buffer = Buffer.from(`xx${text} SIP/2.0\r\nSIP/2.0 200 OK\r\n`, "latin1");
    t.equal(reader.glance(buffer, 2, 2 + text.length), !isInvite, JSON.stringify(text));
    t.equal(reader.counts.messages, messages, JSON.stringify(text));
  }
  t.end();
});
