// Calls of ISUP and of drachtio that are refused: their REL or answer comes when the message is in the evidence.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { createBlockReader, isPacket, lineOf } from "../../src/records/evidence/block-reader.ts";
import { listSegments } from "../../src/records/evidence/log-files.ts";
import { tcpTransport } from "../../src/wire/sctp/tcp-transport.ts";
import { startFilter } from "../cli/filter-process.ts";
import { openWorkplace } from "../cli/workplace.ts";
import { connectPeer, listenAsPeer, type TestPeer } from "../sctp/peer.ts";
import { evidenceLines, verifyFolder } from "../support/crowd.ts";
import { openTestDrachtio } from "../support/drachtio-server.ts";
import { freeStreamPort } from "../support/free-port.ts";
import { fromLease, LISTED, told, UNLISTED } from "../support/isup-relay.ts";
import { loopbackPolicy } from "../support/m3ua-engine.ts";
import { comesTrue } from "../support/until.ts";

const kept = "evidence: { folder: evidence, durability: before-reject }\nrecords: { folder: records }\n";

/** What tshark reads in the only segment. */
function dissect(
  t: Test,
  folder: string,
  as: readonly string[],
  ...fields: readonly string[]
): string | undefined {
  const [segment] = listSegments(folder, "gw-a");
  try {
    const args = fields.flatMap((field) => ["-e", field]);
    return execFileSync("tshark", ["-r", segment?.path ?? "", ...as, "-T", "fields", ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch (error) {
    if (!String(error).includes("ENOENT")) throw error;
    t.pass("tshark", { skip: "tshark is not installed" });
    return undefined;
  }
}

function octetsOfBlocks(folder: string): string {
  let text = "";
  for (const { path } of listSegments(folder, "gw-a"))
    createBlockReader().read(path, (block) => {
      if (isPacket(block) && lineOf(block) !== "")
        text += block.buffer.toString("latin1", block.start, block.end);
      return true;
    });
  return text;
}

void t.test("m3ua: REL is sent when the IAM is in the evidence, as ISUP that tshark reads", async (t) => {
  const place = await openWorkplace();
  t.teardown(place.remove);
  const cores: TestPeer[] = [];
  const server = await listenAsPeer(tcpTransport, (peer) => cores.push(peer));
  const port = await freeStreamPort("127.0.0.1");
  place.write(
    "sigwall.yaml",
    `engine: m3ua
m3ua:
  links:
    - associations:
        - { id: lease, transport: tcp, role: server, local: "127.0.0.1:${port}", remote: 127.0.0.1 }
        - { id: core, transport: tcp, role: client, local: 127.0.0.1, remote: "127.0.0.1:${server.port}" }
admin: 127.0.0.1:0
policy: policy.yaml
keyFile: own.key
node: gw-a
${kept}`,
  );
  place.write("bank.csv", "number,note\n+861087654300..+861087654399,head office\n");
  place.write("policy.yaml", loopbackPolicy);
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  const lease = await connectPeer(tcpTransport, port);
  await comesTrue(() => cores.length > 0);
  const folder = join(place.folder, "evidence");
  for (const cic of [4, 5, 6]) {
    const iam = fromLease(UNLISTED, cic);
    lease.send(1, iam);
    await lease.wait(cic - 3);
    t.equal(evidenceLines(folder).length, cic - 3, "the block is there when the REL arrives");
    t.ok(octetsOfBlocks(folder).includes(iam.toString("latin1")), "octet by octet");
  }
  t.same(
    told(lease.received.map(({ bytes }) => ({ to: 0, stream: 0, bytes }))),
    [4, 5, 6].map((cic) => `0 REL 21 900>11-${cic}`),
  );
  lease.send(1, fromLease(LISTED, 7));
  await cores[0]?.wait(1);
  t.match(evidenceLines(folder)[0], {
    record: "decided",
    signalling: "isup",
    action: "released",
    cause: 21,
    isup: { cic: 4 },
  });
  t.equal(await filter.stop(), 0);
  lease.association.close();
  for (const core of cores) core.association.close();
  await server.close();
  const { code, said } = verifyFolder(folder);
  t.equal(code, 0, said);
  const seen = dissect(
    t,
    folder,
    [],
    "_ws.col.Protocol",
    "m3ua.protocol_data_opc",
    "isup.cic",
    "isup.message_type",
  );
  if (seen !== undefined)
    t.same(
      seen
        .trim()
        .split("\n")
        .map((line) => line.split("\t")),
      [4, 5, 6].map((cic) => ["ISUP(ITU)", "11", String(cic), "1"]),
    );
});

void t.test("drachtio: the answer is sent when the raw message is in the evidence", async (t) => {
  const server = await openTestDrachtio();
  const place = await openWorkplace();
  t.teardown(place.remove);
  place.write(
    "sigwall.yaml",
    `engine: drachtio
listen: ["udp:127.0.0.1:${server.sipPort}"]
drachtio: { servers: [{ port: ${server.adminPort}, secret: ${server.secret} }] }
admin: 127.0.0.1:0
policy: policy.yaml
keyFile: own.key
node: gw-a
${kept}`,
  );
  const filter = await startFilter(place.config);
  t.teardown(() => filter.signal("SIGKILL"));
  await filter.logged(["drachtio server is connected"]);
  const folder = join(place.folder, "evidence");
  for (let count = 1; count <= 3; count++) {
    t.equal(await place.placeCall(server.sipPort, "01087654400"), "403");
    t.equal(evidenceLines(folder).length, count, "the block is there when the answer arrives");
    const text = octetsOfBlocks(folder);
    for (const line of place
      .lastInvite()
      .split("\r\n")
      .filter((each) => /^(?:From|Call-ID|INVITE)/u.test(each)))
      t.ok(text.includes(line), line);
  }
  t.equal(await place.placeCall(server.sipPort, "01087654321"), "forwarded");
  t.match(evidenceLines(folder)[0], {
    record: "decided",
    reason: "cli-not-listed",
    action: "answered",
    status: 403,
  });
  t.equal(await filter.stop(), 0);
  await server.close();
  const { code, said } = verifyFolder(folder);
  t.equal(code, 0, said);
  const seen = dissect(
    t,
    folder,
    ["-d", `udp.port==${server.sipPort},sip`],
    "_ws.col.Protocol",
    "sip.Method",
  );
  if (seen !== undefined) t.equal(seen.trim(), Array.from({ length: 3 }, () => "SIP\tINVITE").join("\n"));
  t.equal(readFileSync(join(folder, "gw-a.lock"), "latin1"), "", "an orderly end");
});
