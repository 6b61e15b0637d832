import { Buffer } from "node:buffer";
import t from "tap";
import { createLinkPayload, readM2pa, readM2ua, readMtp2 } from "../../src/ss7/mtp-link.ts";
import { createM3uaMessage, isTransfer, readM3ua, readProtocolData } from "../../src/ss7/m3ua.ts";
import { createMsu, readCircuit, readMtp3, type LabelLength } from "../../src/ss7/mtp3.ts";

const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const msu = createMsu();

void t.test("routing labels and circuits", (t) => {
  const read = (hex: string, label: LabelLength): string => {
    const bytes = octets(hex);
    if (!readMtp3(msu, bytes, 0, bytes.length, label)) return "none";
    const type = readCircuit(msu);
    return `si ${msu.si} ni ${msu.ni} ${msu.opc}-${msu.dpc} sls ${msu.sls} cic ${msu.cic} type ${bytes[type] ?? "none"}`;
  };
  const rows: readonly (readonly [what: string, hex: string, label: LabelLength, read: string])[] = [
    ["ITU-T (vector P5)", "05 bc4153e0 0500 01", 4, "si 5 ni 0 333-444 sls 14 cic 5 type 1"],
    [
      "China, 10-11-1 to 10-11-2",
      "85 020b0a 010b0a 02 0200 01",
      7,
      "si 5 ni 2 658177-658178 sls 2 cic 2 type 1",
    ],
    ["spare bits of the circuit", "05 bc4153e0 05f0 01", 4, "si 5 ni 0 333-444 sls 14 cic 5 type 1"],
    ["BICC: four octets", "0d bc4153e0 05000100 01", 4, "si 13 ni 0 333-444 sls 14 cic 65541 type 1"],
    ["no message type", "05 bc4153e0 0500", 4, "si 5 ni 0 333-444 sls 14 cic -1 type none"],
    ["a label alone", "05 bc4153e0", 4, "none"],
    ["nothing", "", 4, "none"],
  ];
  for (const [what, hex, label, expected] of rows) t.equal(read(hex, label), expected, what);
  const ansi = octets("95 020b0a 010b0a 02 0220 01");
  t.ok(readMtp3(msu, ansi, 0, ansi.length, 7));
  t.equal(readCircuit(msu, 14), 10);
  t.equal(msu.cic, 0x2002, "ANSI has 14 bits");
  t.end();
});

const iam = "0200010061010a03020b090410683108108300f00a08041368017856341200";
/** The vector of the protocol reference: OPC 10-11-1, DPC 10-11-2, RC 100, NI 2, SLS 2. */
const data = `01000101 00000040 0006 0008 00000064 0210 002f 000a0b01 000a0b02 05 02 00 02 ${iam} 00`;

void t.test("M3UA", (t) => {
  const message = createM3uaMessage();
  const read = (hex: string): string => {
    const bytes = octets(hex);
    const isSound = readM3ua(message, bytes, 0, bytes.length);
    const head = `${message.messageClass}/${message.messageType}`;
    const unit = readProtocolData(msu, message, bytes)
      ? ` ${msu.opc}-${msu.dpc} si ${msu.si} ni ${msu.ni} sls ${msu.sls} ${msu.end - msu.start}`
      : "";
    const context = message.routingContext < 0 ? "" : ` rc ${message.routingContext}`;
    return `${isSound ? "" : `(${message.fault}) `}${head}${context}${unit}`;
  };
  const rows: readonly (readonly [what: string, hex: string, read: string])[] = [
    ["DATA", data, "1/1 rc 100 658177-658178 si 5 ni 2 sls 2 31"],
    [
      "padding left out",
      data.slice(0, -3),
      "(ends before its length) 1/1 rc 100 658177-658178 si 5 ni 2 sls 2 31",
    ],
    ["cut short", data.slice(0, -7), "(ends before its length) 1/1 rc 100 658177-658178 si 5 ni 2 sls 2 29"],
    ["octets behind it", `${data} ffff`, "1/1 rc 100 658177-658178 si 5 ni 2 sls 2 31"],
    ["ASPUP", "01000301 00000008", "3/1"],
    ["BEAT with data", "01000303 0000000e 0009 0006 abcd", "3/3"],
    ["another version", "02000101 00000008", "(version 2) -1/-1"],
    ["half a header", "01000101", "(shorter than its header) -1/-1"],
    ["a length below the header", "01000101 00000007", "(claims a length of 7) 1/1"],
    ["a parameter that lies", "01000101 0000000c 0006 0003", "(parameter 6 claims a length of 3) 1/1"],
    ["a parameter past the end", "01000101 0000000c 0210 0040", "(parameter 528 ends past the message) 1/1"],
    [
      "protocol data twice",
      "01000101 00000028 0210 0010 00000001 00000002 05020002 0210 0010 00000001 00000002 05020002",
      "(two protocol data parameters) 1/1 1-2 si 5 ni 2 sls 2 0",
    ],
    ["many parameters", `01000101 0000008c ${"00110004".repeat(33)}`, "(more than 32 parameters) 1/1"],
    ["protocol data without a label", "01000101 00000010 0210 0008 00000001", "1/1"],
  ];
  for (const [what, hex, expected] of rows) t.equal(read(hex), expected, what);
  read("01000101 00000014 0002 000b 85 020b0a 010b0a 00");
  t.ok(message.isDraft, "Internet-Draft version 6 put the whole unit under tag 2");
  t.ok(isTransfer(message));
  t.same([message.dataStart, message.dataEnd], [12, 19]);
  t.end();
});

void t.test("MTP2, M2UA and M2PA carry units", (t) => {
  const payload = createLinkPayload();
  const said = (bytes: Buffer, isFound: boolean): string =>
    isFound ? bytes.toString("hex", payload.start, payload.end) + (payload.isCut ? " cut" : "") : "none";
  const mtp2 = (hex: string, extended = false): string => {
    const bytes = octets(hex);
    return said(bytes, readMtp2(payload, bytes, 0, bytes.length, extended));
  };
  t.equal(mtp2("8182 04 05aabbcc"), "05aabbcc");
  t.equal(mtp2("8182 04 05aabbcc 1234"), "05aabbcc", "a frame check sequence");
  t.equal(mtp2("8182 05 05aabbcc"), "05aabbcc cut");
  t.equal(mtp2("8182 3f 05aabbcc1234"), "05aabbcc1234", "63 and more: all there is");
  t.equal(mtp2("8182 00 1234"), "none", "fill-in");
  t.equal(mtp2("8182 02 00001234"), "none", "link status");
  t.equal(mtp2("8182"), "none");
  t.equal(mtp2("0100 0200 0400 05aabbcc 1234", true), "05aabbcc", "annex A");
  t.equal(mtp2("0100 0200 0000 1234", true), "none");

  const m2ua = (hex: string): string => {
    const bytes = octets(hex);
    return said(bytes, readM2ua(payload, bytes, 0, bytes.length));
  };
  t.equal(m2ua("01000601 00000018 0001 0008 00000000 0300 0008 05aabbcc"), "05aabbcc");
  t.equal(
    m2ua("01000601 00000018 0001 0008 00000000 0301 0009 00 05aabbcc"),
    "05aabb",
    "TTC, and a length that holds it",
  );
  t.equal(
    m2ua("01000601 00000018 0001 0008 00000000 0300 000a 05aabbcc"),
    "05aabbcc",
    "never past the message",
  );
  t.equal(m2ua("01000601 00000010 0001 0008 00000000"), "none");
  t.equal(m2ua("01000602 00000010 0300 0008 05aabbcc"), "none", "another type");
  t.equal(m2ua("01000601 00000010 0300 0003 05aabbcc"), "none", "a length that lies");

  const m2pa = (hex: string): string => {
    const bytes = octets(hex);
    return said(bytes, readM2pa(payload, bytes, 0, bytes.length));
  };
  t.equal(m2pa("01000b01 00000015 00ffffff 00000001 00 05aabbcc"), "05aabbcc");
  t.equal(m2pa("01000b01 00000010 00ffffff 00000001"), "none", "an acknowledgement");
  t.equal(m2pa("01000b02 00000014 00000000 00000000 00000009"), "none", "link status");
  t.equal(m2pa("01000b01 00000017 00ffffff 00000001 00 05aabbcc"), "05aabbcc cut");
  t.end();
});
