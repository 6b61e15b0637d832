// Captures out of scripts: a line a message, `SECONDS FROM>TO WHAT CALL`, written as packets that anybody's reader reads.
import { Buffer } from "node:buffer";
import { encodeIsup, writeM3ua } from "../../pcaps/isup-text.ts";
import { addressBytes, type PacketEnd, writeEthernet, writeIp, writeUdp } from "../../src/pcap/packet.ts";
import { writeSctp } from "../../src/pcap/sctp-packet.ts";
import { type PacketRecord, writePcap } from "../../src/pcap/writer.ts";

/** Who sends: the lessee's exchange, another trunk of the lessee, the filter or a proxy, the network behind it. */
const places: Readonly<Record<string, PacketEnd>> = {
  lease: { address: "192.0.2.11", port: 5060 },
  second: { address: "192.0.2.12", port: 5060 },
  edge: { address: "198.51.100.1", port: 5060 },
  core: { address: "198.51.100.90", port: 5060 },
};

/** 2026-10-03T08:15:00Z. */
export const BEGIN = 1_791_015_300;

/** What a script says of one call; the name of the call is its Call-ID, or its circuit. */
export interface ScriptOptions {
  readonly begin?: number;
  readonly caller?: string;
  readonly called?: string;
}

function isField(word: string): boolean {
  return /^[a-z]+=/u.test(word);
}

/** `BYE to=x`: words, then fields. */
function wordsOf(text: string): {
  readonly words: readonly string[];
  readonly fields: ReadonlyMap<string, string>;
} {
  const all = text.split(" ");
  return {
    words: all.filter((word) => !isField(word)),
    fields: new Map(
      all
        .filter(isField)
        .map((word): [string, string] => [
          word.slice(0, word.indexOf("=")),
          word.slice(word.indexOf("=") + 1),
        ]),
    ),
  };
}

/**
 * `INVITE`, `200`, `200 BYE`, `CANCEL`, `BYE`; fields `cseq`, `tag` (of the called party), `leg` (the hop whose branch an
 * answer has), `cause` (a Reason). A request of `core` comes from the called party.
 */
function writeSip(
  from: string,
  to: string,
  what: string,
  call: string,
  { caller, called }: Required<ScriptOptions>,
): string {
  const { words, fields } = wordsOf(what);
  const [first = "", of = "INVITE"] = words;
  const isAnswer = /^\d/u.test(first);
  const method = isAnswer ? of : first;
  const byCalled =
    method === "BYE" && (isAnswer ? to : from) !== "lease" && (isAnswer ? to : from) !== "second";
  const cseq = fields.get("cseq") ?? (method === "BYE" ? "2" : "1");
  const leg = fields.get("leg") ?? (isAnswer ? `${to}-${from}` : `${from}-${to}`);
  const tag =
    fields.get("tag") ?? (first === "INVITE" || first === "CANCEL" || first === "100" ? "" : "callee");
  const callerParty = `<sip:${caller}@198.51.100.11>;tag=${call}-caller`;
  const calledParty = `<sip:${called}@198.51.100.1>${tag === "" ? "" : `;tag=${tag}`}`;
  const cause = fields.get("cause");
  return [
    isAnswer ? `SIP/2.0 ${first} Answer` : `${method} sip:${called}@198.51.100.1 SIP/2.0`,
    `Via: SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bK-${call}-${leg}-${cseq}`,
    `From: ${byCalled ? calledParty : callerParty}`,
    `To: ${byCalled ? callerParty : calledParty}`,
    `Call-ID: ${call}`,
    `CSeq: ${cseq} ${method}`,
    "Max-Forwards: 70",
    ...(cause === undefined ? [] : [`Reason: Q.850;cause=${cause}`]),
    "Contact: <sip:192.0.2.11:5060>",
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

/** Short names of the messages that `encodeIsup` has no words for: indicators as of Q.763 sections 3.5 and 3.21. */
const isupMessages: Readonly<Record<string, string>> = {
  IAM: "IAM called=3:2787654321 calling=3:1087654321",
  "ACM free": "hex 06040000",
  ACM: "hex 06000000",
  "CPG alerting": "hex 2c0100",
  "CPG progress": "hex 2c0200",
  CON: "hex 07000000",
  GRS: "hex 17010101",
};

/** The packets of a script. Places of ISUP are point codes: `21>1 IAM 5` is about circuit 5. */
export function packetsOf(script: string, options: ScriptOptions = {}): readonly PacketRecord[] {
  const { begin = BEGIN, caller = "+861087654321", called = "02787654321" } = options;
  let tsn = 1;
  return script
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [time = "", way = "", ...rest] = line.split(/ +/u);
      const call = rest.at(-1) ?? "";
      const what = rest.slice(0, -1).join(" ");
      const [from = "", to = ""] = way.split(">");
      const at = begin + Number(time);
      const isIsup = /^\d/u.test(from);
      const ip = isIsup
        ? isupPacket(Number(from), Number(to), what, Number(call), tsn++)
        : sipPacket(from, to, writeSip(from, to, what, call, { begin, caller, called }));
      const seconds = Math.floor(at);
      return { seconds, nanos: Math.round((at - seconds) * 1e6) * 1000, bytes: writeEthernet(ip, []) };
    });
}

function sipPacket(from: string, to: string, text: string): Buffer {
  const [source, target] = [places[from]!, places[to]!];
  const datagram = writeUdp(source, target, Buffer.from(text, "latin1"));
  return writeIp(addressBytes(source.address), addressBytes(target.address), 17, datagram);
}

function m3uaEnd(address: string): PacketEnd {
  return { address, port: 2905 };
}

function isupPacket(opc: number, dpc: number, what: string, cic: number, tsn: number): Buffer {
  const payload = writeM3ua({ opc, dpc, cic }, encodeIsup(isupMessages[what] ?? what));
  const ends = opc === 21 ? ["192.0.2.21", "198.51.100.1"] : ["198.51.100.1", "192.0.2.21"];
  const [source = "", target = ""] = ends;
  const chunk = { tsn, stream: 1, payloadProtocol: 3, payload, begins: true, ends: true };
  return writeIp(
    addressBytes(source),
    addressBytes(target),
    132,
    writeSctp(m3uaEnd(source), m3uaEnd(target), opc, [chunk]),
  );
}

/** A capture of several scripts, in the order of time. */
export function captureOf(packets: readonly PacketRecord[]): Buffer {
  const inOrder = packets.toSorted((a, b) => a.seconds - b.seconds || a.nanos - b.nanos);
  return writePcap(inOrder);
}
