import { Buffer } from "node:buffer";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import t from "tap";
import { createEmbeddedEngine } from "../../src/engines/embedded.ts";
import { createCounters } from "../../src/observe/counters.ts";
import { createScreeningState } from "../../src/screening/state.ts";
import { chooseDatagramSockets } from "../../src/wire/udp/datagram-sockets.ts";
import { naming } from "../support/events.ts";
import { compileText, headers, request, respond } from "../support/proxy.ts";
import { until } from "../support/until.ts";

interface Heard {
  readonly text: string;
  readonly from: RemoteInfo;
}

interface Peer {
  readonly socket: Socket;
  readonly port: number;
  /** What came, but OPTIONS, which are answered. */
  readonly heard: Heard[];
  send(text: string, port: number, address: string): void;
}

async function openPeer(address: string): Promise<Peer> {
  const socket = createSocket("udp4");
  await new Promise<void>((bound) => socket.bind(0, address, bound));
  const heard: Heard[] = [];
  const send = (text: string, port: number, to: string): void =>
    socket.send(Buffer.from(text, "latin1"), port, to);
  socket.on("message", (bytes, from) => {
    const text = bytes.toString("latin1");
    if (text.startsWith("OPTIONS ")) send(respond(text, 200), from.port, from.address);
    else heard.push({ text, from });
  });
  return { socket, port: socket.address().port, heard, send };
}

/** The n-th message that a peer hears, from 1. */
async function nth(peer: Peer, n: number): Promise<Heard> {
  await until(() => peer.heard.length >= n);
  const found = peer.heard[n - 1];
  if (found === undefined) throw new Error("nothing heard");
  return found;
}

const outer = { id: "udp:127.0.0.1:0", transport: "udp", address: "127.0.0.1", port: 0 } as const;
const advertise = { host: "core-side.carrier.example", port: 5060 };
const inner = { id: "udp:127.0.0.2:0", transport: "udp", address: "127.0.0.2", port: 0, advertise } as const;

for (const kind of ["dgram", "batched"] as const) {
  const sockets = await chooseDatagramSockets(kind);
  if (sockets.kind !== kind) {
    t.pass("batched sockets", { skip: `left out: ${sockets.missing ?? ""}` });
    continue;
  }
  void t.test(
    `${kind} sockets: two sides, one under a name; calls of the core go to its next hop`,
    async (test) => {
      const core = await openPeer("127.0.0.3");
      const other = await openPeer("127.0.0.3");
      const pbx = await openPeer("127.0.0.4");
      const policy = compileText(`
version: 1
trunks:
  - { id: core, side: core, match: { addresses: [127.0.0.3], listener: "${inner.id}" }, nextHops: ["sip:127.0.0.4:${pbx.port}"] }
  - { id: lease, side: lessee, match: { addresses: [127.0.0.4], listener: "${outer.id}" }, lessee: bank, areaCode: "10", nextHops: ["sip:127.0.0.3:${core.port}"] }
lessees: [{ id: bank, numbers: bank.csv }]
`);
      const engine = createEmbeddedEngine({
        listen: [outer, inner],
        openPort: sockets.open,
        policy: () => policy,
        state: createScreeningState(policy.tables),
        counters: createCounters(),
        key: Buffer.from("0123456789abcdef"),
        naming,
        happened: () => undefined,
        fault: (error) => test.fail(String(error)),
      });
      const bound = await engine.start();
      test.teardown(async () => {
        await engine.stop();
        for (const { socket } of [core, other, pbx]) socket.close();
      });
      const [outerPort = 0, innerPort = 0] = bound.map((each) => Number(/:(\d+)(?: as|$)/u.exec(each)?.[1]));
      test.match(bound[1], ` as ${advertise.host}:${advertise.port}`);

      const via = `SIP/2.0/UDP 127.0.0.4:${pbx.port};branch=z9hG4bKa;rport`;
      pbx.send(request({ via: [via] }), outerPort, "127.0.0.1");
      const invite = await nth(core, 1);
      test.same([invite.from.address, invite.from.port], ["127.0.0.2", innerPort], "to the core by its side");
      test.match(headers(invite.text, "Via")[0], /UDP core-side\.carrier\.example:5060;/u);
      const [top = "", second = ""] = headers(invite.text, "Record-Route");
      test.match(top, "<sip:core-side.carrier.example:5060;lr;");
      test.match(second, `<sip:127.0.0.1:${outerPort};lr;`);
      other.send(
        respond(invite.text, 200, { contact: `<sip:c@127.0.0.3:${core.port}>` }),
        innerPort,
        "127.0.0.2",
      );
      const ok = await nth(pbx, 1);
      test.match(ok.text, /^SIP\/2\.0 200 /u, "answered from another port");
      test.same([ok.from.address, ok.from.port], ["127.0.0.1", outerPort]);
      const bye = request({
        method: "BYE",
        cseq: "2 BYE",
        uri: `sip:pbx@127.0.0.4:${pbx.port}`,
        via: [`SIP/2.0/UDP 127.0.0.3:${core.port};branch=z9hG4bKb;rport`],
        from: "<sip:02787654321@192.0.2.1>;tag=called",
        to: "<sip:+861087654321@203.0.113.10>;tag=caller",
        headers: headers(ok.text, "Record-Route").map((value) => `Route: ${value}`),
      });
      core.send(bye, innerPort, "127.0.0.2");
      const ended = await nth(pbx, 2);
      test.match(ended.text, /^BYE /u);
      test.same([ended.from.address, ended.from.port], ["127.0.0.1", outerPort], "to the PBX by its side");

      const call = request({
        uri: "sip:01087654321@core-side.carrier.example",
        via: [`SIP/2.0/UDP 127.0.0.3:${core.port};branch=z9hG4bKc;rport`],
        from: "<sip:+8613812345678@127.0.0.3>;tag=c",
        callId: "core-1",
      });
      core.send(call, innerPort, "127.0.0.2");
      const called = await nth(pbx, 3);
      test.match(
        called.text,
        /^INVITE /u,
        "a call of the core to the filter goes to the next hop of the core",
      );
      test.same(
        [called.from.address, called.from.port],
        ["127.0.0.1", outerPort],
        "from the address that the PBX knows",
      );
    },
  );
}
