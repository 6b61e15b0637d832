import { Buffer } from "node:buffer";
import t from "tap";
import { addressBytes, writeEthernet, writeIp, writeUdp } from "../../src/pcap/packet.ts";
import { readTransport } from "./datagrams.ts";

const outer = [addressBytes("10.0.0.1"), addressBytes("10.0.0.2")] as const;
const A = { address: "192.0.2.1", port: 5060 };
const B = { address: "198.51.100.2", port: 5061 };
const A6 = { address: "2001:db8::1", port: 5060 };
const B6 = { address: "2001:db8::2", port: 5061 };

const inner = writeIp(
  addressBytes(A.address),
  addressBytes(B.address),
  17,
  writeUdp(A, B, Buffer.from("hello")),
);
const inner6 = writeIp(
  addressBytes(A6.address),
  addressBytes(B6.address),
  17,
  writeUdp(A6, B6, Buffer.from("hello")),
);
const read = "1 udp 192.0.2.1 5060 > 198.51.100.2 5061: hello";
const read6 = "1 udp 2001:db8::1 5060 > 2001:db8::2 5061: hello";

function through(protocol: number, ...pieces: readonly (Buffer | string)[]): string[] {
  const payload = Buffer.concat(
    pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece, "hex") : piece)),
  );
  return readTransport([{ bytes: writeEthernet(writeIp(...outer, protocol, payload)) }]);
}

function gtp(...pieces: readonly (Buffer | string)[]): string[] {
  const payload = Buffer.concat(
    pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece, "hex") : piece)),
  );
  const udp = writeUdp({ address: "10.0.0.1", port: 2152 }, { address: "10.0.0.2", port: 2152 }, payload);
  return readTransport([{ bytes: writeEthernet(writeIp(...outer, 17, udp)) }]);
}

void t.test("the innermost packet counts", (t) => {
  t.same(through(4, inner), [read], "IP in IP");
  t.same(through(41, inner6), [read6], "IPv6 in IPv4");
  t.same(through(4, writeIp(...outer, 4, inner)), [read], "twice");
  t.same(through(47, "00000800", inner), [read], "GRE");
  t.same(through(47, "000086dd", inner6), [read6], "GRE of IPv6");
  t.same(
    through(47, "b0000800 00000000 00000007 00000001".replaceAll(" ", ""), inner),
    [read],
    "with every field",
  );
  t.same(through(47, "00006558", writeEthernet(inner, [5])), [read], "GRE of Ethernet");
  t.same(gtp("30ff002100000001", inner), [read], "GTP-U");
  t.same(gtp("32ff002500000001 0001 00 00".replaceAll(" ", ""), inner), [read], "with a sequence number");
  t.same(
    gtp("34ff002900000001 0000 00 85 01 1009 00".replaceAll(" ", ""), inner6),
    [read6],
    "with an extension",
  );
  t.end();
});

void t.test("near misses and bad input", (t) => {
  t.same(through(47, "40000800", inner), [], "routed by GRE itself");
  t.same(through(47, "00010800", inner), [], "PPTP");
  t.same(through(47, "000088b5", inner), [], "another protocol");
  t.same(through(47, "0000"), []);
  t.same(through(4), []);
  t.same(through(4, "ff"), []);
  t.equal(gtp("30fe002100000001", inner).length, 1, "an end marker is a datagram like others");
  t.match(gtp("34ff002900000001 0000 00 85 00 1009 00".replaceAll(" ", ""), inner)[0], /^1 udp 10\.0\.0\.1/);
  let nested = inner;
  for (let depth = 0; depth < 6; depth++) nested = writeIp(...outer, 4, nested);
  t.same(through(4, nested), [], "more than anybody nests");
  t.end();
});

void t.test("what the capture cut short in a tunnel is cut", (t) => {
  const whole = writeEthernet(writeIp(...outer, 4, inner));
  t.same(readTransport([{ bytes: whole.subarray(0, whole.length - 2) }]), [`${read.slice(0, -2)} cut`]);
  t.end();
});
