import t from "tap";
import { createAttemptReader } from "../../src/replay/captured-attempts.ts";
import { createSignallingReader } from "../../src/replay/signalling.ts";
import { addressBytes, writeEthernet, writeIp, writeTcp } from "../../src/pcap/packet.ts";
import { writePcap, writePcapng, type PacketRecord } from "../../src/pcap/writer.ts";
import { udpFragments, udpPacket } from "./datagrams.ts";
import { createRandom } from "./reading.ts";

const invite = (call: number): string =>
  `INVITE sip:01012345678@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${call}\r\nFrom: <sip:+8613912345678@192.0.2.1>;tag=1\r\nTo: <sip:01012345678@192.0.2.2>\r\nCall-ID: ${call}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n`;

function capture(): PacketRecord[] {
  const from = { address: "192.0.2.1", port: 40_001 };
  const to = { address: "198.51.100.2", port: 5060 };
  const stream = invite(1) + invite(2);
  const segment = (start: number, end: number): Buffer => {
    const bytes = writeTcp(from, to, Buffer.from(stream.slice(start, end)), {
      sequence: 1000 + start,
      flags: {},
    });
    return writeEthernet(writeIp(addressBytes(from.address), addressBytes(to.address), 6, bytes));
  };
  const frames = [
    writeEthernet(udpPacket(invite(3))),
    writeEthernet(udpPacket(invite(4), 6), [100]),
    ...udpFragments(invite(5), [104, 208], 1),
    ...udpFragments(invite(6), [104, 208], 2, 6),
    segment(0, 100),
    segment(200, stream.length),
    segment(100, 200),
  ];
  return frames.map((bytes, i) => ({ seconds: 1_791_015_302, nanos: i * 1000, bytes }));
}

function countAttempts(file: Buffer, chunk: number): number {
  let attempts = 0;
  const reader = createSignallingReader(
    createAttemptReader({
      invite() {
        attempts += 1;
      },
      iam() {
        attempts += 1;
      },
      malformed() {},
    }),
  );
  for (let at = 0; at < file.length; at += chunk) reader.push(file.subarray(at, at + chunk));
  reader.end();
  return attempts;
}

void t.test("whatever is damaged, nothing is thrown", async (t) => {
  const random = createRandom(20_261_003);
  for (const write of [writePcap, writePcapng]) {
    const good = write(capture());
    t.equal(countAttempts(good, 100), 6, "all six attempts are there before");
    let fewer = 0;
    for (let round = 0; round < 400; round += 1) {
      const bad = Buffer.from(good.subarray(0, random(8) === 0 ? random(good.length) : good.length));
      const changes = 1 + random(6);
      for (let i = 0; i < changes && bad.length > 0; i += 1)
        bad[random(bad.length)] = random(3) === 0 ? 0xff : random(256);
      if (countAttempts(bad, 1 + random(4000)) < 6) fewer += 1;
    }
    t.ok(fewer > 80, `the damage was felt: ${fewer} of 400 captures lost attempts`);
  }
});
