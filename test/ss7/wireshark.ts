import { hasTshark } from "../support/tshark.ts";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { addressBytes, writeEthernet, writeIp } from "../../src/pcap/packet.ts";
import { writeSctp } from "../../src/pcap/sctp-packet.ts";
import { writePcap } from "../../src/pcap/writer.ts";
import { createIsupMessage, readIsup } from "../../src/ss7/isup.ts";
import { readNames } from "../../src/ss7/isup-name.ts";
import { createM3uaMessage, readM3ua, readProtocolData } from "../../src/ss7/m3ua.ts";
import { kindOfM3ua } from "../../src/ss7/m3ua-kind.ts";
import {
  ErrorCode,
  labelUnit,
  releaseLocations,
  sealUnit,
  writeError,
  writeRelease,
  type ReleaseLocation,
} from "../../src/ss7/m3ua-reply.ts";
import { createMsu, readCircuit } from "../../src/ss7/mtp3.ts";

const skip = hasTshark() ? false : "tshark is not installed";

/** What tshark reads in M3UA messages over SCTP: one row of these fields for each. */
function ask(
  messages: readonly Uint8Array[],
  fields: readonly string[],
  options: readonly string[] = [],
): readonly string[] {
  const from = { address: "192.0.2.1", port: 2905 };
  const to = { address: "198.51.100.2", port: 2905 };
  const packets = messages.map((message, index) => {
    const chunk = {
      tsn: index,
      stream: 0,
      payloadProtocol: 3,
      payload: Buffer.from(message),
      begins: true,
      ends: true,
    };
    const sctp = writeSctp(from, to, 1, [chunk]);
    const ip = writeIp(addressBytes(from.address), addressBytes(to.address), 132, sctp);
    return { seconds: 1_791_015_302 + index, nanos: 0, bytes: writeEthernet(ip) };
  });
  const folder = mkdtempSync(join(tmpdir(), "tshark-"));
  try {
    const path = join(folder, "m3ua.pcap");
    writeFileSync(path, writePcap(packets));
    return execFileSync(
      "tshark",
      ["-r", path, ...options, "-T", "fields"].concat(fields.flatMap((field) => ["-e", field])),
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    )
      .replace(/\n$/, "")
      .split("\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");
const message = (head: string, ...parameters: string[]): Buffer => {
  const body = octets(parameters.join(""));
  const whole = Buffer.concat([octets(`0100${head}00000000`), body]);
  whole.writeUInt32BE(whole.length, 4);
  return whole;
};

function isLocation(name: string): name is ReleaseLocation {
  return Object.hasOwn(releaseLocations, name);
}

void t.test("tshark reads the parameters by which the kinds are told", { skip }, (t) => {
  const rows: readonly (readonly [message: Buffer, kind: string, theirs: string])[] = [
    [message("0302"), "down", "3 2"],
    [message("0305"), "down", "3 5"],
    [message("0401"), "active", "4 1"],
    [message("0402"), "inactive", "4 2"],
    [message("0403"), "active", "4 3"],
    [message("0404"), "inactive", "4 4"],
    [message("0201", "0012000800000001"), "unavailable", "2 1"],
    [message("0202", "0012000800000001"), "available", "2 2"],
    [message("0001", "000d000800020002"), "inactive", "0 1 2 2"],
    [message("0001", "000d000800010002"), "inactive", "0 1 1 2"],
    [message("0001", "000d000800010003"), "other", "0 1 1 3"],
    [message("0904", "02090014", "0006000800000064", "0213000800000000"), "inactive", "9 4 100 0"],
    [message("0904", "02090014", "0006000800000064", "0213000800000001"), "other", "9 4 100 1"],
    [writeError(ErrorCode.unsupportedClass, message("0601")), "other", "0 0 3 0100060100000008"],
    [writeError(ErrorCode.invalidVersion, octets("02000001ff")), "other", "0 0 1 02000001ff"],
  ];
  const fields = [
    "m3ua.message_class",
    "m3ua.message_type",
    "m3ua.status_type",
    "m3ua.status_info",
    "m3ua.routing_context",
    "m3ua.deregistration_results_status",
    "m3ua.deregistration_status",
    "m3ua.error_code",
    "m3ua.diagnostic_information",
    "_ws.malformed",
  ];
  const theirs = ask(
    rows.map(([bytes]) => bytes),
    fields,
  );
  t.same(
    theirs.map((row) => row.replaceAll(/[\t ]+/g, " ").trim()),
    rows.map(([, , said]) => said),
  );
  for (const [bytes, kind, said] of rows) t.equal(kindOfM3ua(bytes), kind, said);
  t.end();
});

void t.test("tshark reads the same names", { skip }, (t) => {
  // ANSI: user service information stands before the called number.
  const head = "01 00 6001 0a 03 06 0b 03 8090a2 05 8310103254";
  const rows = [
    [0x20, "allowed", "1 0 0"],
    [0x21, "restricted", "1 0 1"],
    [0x30, "unavailable", "1 1 0"],
    [0x23, "allowed", "1 0 3"],
    [0x60, undefined, "3 0 0"],
  ] as const;
  const units = rows.map(([indicators]) =>
    Buffer.concat([
      octets(`${head} c70b ${indicators.toString(16)}`),
      Buffer.from("BANK 95588"),
      octets("7304 42414e4b 00"),
    ]),
  );
  const label = labelUnit(
    createM3uaMessage(),
    { ...createMsu(), si: 5, bytes: octets("0500"), end: 2 },
    false,
  );
  const theirs = ask(
    units.map((unit) => sealUnit(label, unit)),
    [
      "isup.isdn_generic_name_type",
      "isup.isdn_generic_name_availability",
      "isup.isdn_generic_name_presentation",
      "isup.isdn_generic_name_ia5",
      "isup.display_information",
    ],
    ["-o", "mtp3.standard:ANSI"],
  );
  const view = createIsupMessage();
  for (const [index, [, presentation, bits]] of rows.entries()) {
    t.equal(theirs[index]?.replaceAll("\t", " "), `${bits} BANK 95588 42414e4b`);
    const unit = units[index] ?? Buffer.alloc(0);
    t.equal(readIsup(view, "ansi", unit, 0, unit.length), true);
    const display = { source: "isup-display-information", display: "BANK", presentation: "allowed" };
    t.same(
      readNames(view, true),
      presentation === undefined
        ? [display]
        : [{ source: "isup-generic-name", display: "BANK 95588", presentation }, display],
    );
  }
  t.end();
});

void t.test("tshark reads cause, location and circuit of a REL as they were meant", { skip }, (t) => {
  // Circuit 5, in whose octets spare bits are set.
  const iam = message("0101", "02100014", "0000014d", "000001bc", "0502000e", "05f00100", "");
  const received = createM3uaMessage();
  const msu = createMsu();
  t.ok(readM3ua(received, iam, 0, iam.length) && readProtocolData(msu, received, iam));
  t.ok(readCircuit(msu) > 0);
  const locations = Object.keys(releaseLocations).filter(isLocation);
  const releases = locations.map((location) =>
    sealUnit(labelUnit(received, msu, true), writeRelease(21, location)),
  );
  const rows = ask(releases, [
    "m3ua.protocol_data_opc",
    "isup.cic",
    "isup.message_type",
    "q931.cause_location",
    "isup.cause_indicator",
    "_ws.malformed",
  ]);
  t.same(
    rows.map((row) => row.split("\t").map(Number)),
    locations.map((location) => [444, 5, 12, releaseLocations[location], 21, 0]),
  );
  for (const release of releases) t.equal(release.toString("hex").includes("05f00c"), true);
  t.end();
});
