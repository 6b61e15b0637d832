import { hasTshark } from "../support/tshark.ts";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { z } from "zod";
import { generateCaptures } from "../../pcaps/generate.ts";
import { inspect, parseLines } from "./run.ts";

const generated = generateCaptures(join("pcaps", "src"));

void t.test("the captures are those of their sources", async (t) => {
  const made = generated.flatMap(({ files }) => files.map(({ name }) => name));
  const present = readdirSync("pcaps").filter((file) => /\.pcap(ng)?(\.md)?$/.test(file));
  t.same(present.toSorted(), made.toSorted(), "no file too many, none missing: npm run pcaps");
  for (const { files } of generated) {
    for (const { name, bytes } of files) {
      t.ok(bytes.equals(readFileSync(join("pcaps", name))), `${name} is fresh: npm run pcaps`);
    }
  }
});

/** Frame and Call-ID of each INVITE that begins a call, as tshark reads them. */
function askTshark(path: string): readonly string[] {
  const text = execFileSync(
    "tshark",
    ["-r", path, "-Y", 'sip.Method == "INVITE" && !sip.to.tag && !icmp', "-T", "fields"]
      .concat([
        "-o",
        "tcp.reassemble_out_of_order:TRUE",
        "-o",
        "tcp.check_checksum:TRUE",
        "-o",
        "udp.check_checksum:TRUE",
      ])
      .concat(["-e", "frame.number", "-e", "sip.Call-ID"]),
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  return text.split("\n").filter((line) => line !== "");
}

/** Frame, circuit, called and calling number of each IAM, as tshark reads them. */
function askTsharkForIams(path: string): readonly string[] {
  const fields = [
    "frame.number",
    "m3ua.protocol_data_opc",
    "m3ua.protocol_data_dpc",
    "isup.cic",
    "isup.called",
  ];
  const text = execFileSync(
    "tshark",
    ["-r", path, "-Y", "isup.message_type == 1 && !_ws.malformed", "-T", "fields"]
      .concat(["-o", "sctp.checksum:CRC 32c", "-o", "sctp.reassembly:TRUE", "-E", "occurrence=f"])
      .concat([...fields, "isup.calling", "sctp.checksum.status"].flatMap((field) => ["-e", field])),
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
  return text.split("\n").filter((line) => line !== "");
}

void t.test(
  "tshark finds the same IAMs",
  { skip: hasTshark() ? false : "tshark is not installed" },
  async (t) => {
    for (const name of ["isup-callers.pcap", "isup-circuits.pcap"]) {
      const path = join("pcaps", name);
      const lines = parseLines((await inspect([path], true)).stdout);
      const ours = lines
        .filter((line) => !("malformed" in line))
        .map((line) => {
          const { frame, isup, called, calling } = iamLine.parse(line);
          const own = calling.find(({ source }) => source === "isup-calling-party");
          return `${frame}\t${isup.opc}\t${isup.dpc}\t${isup.cic}\t${called.raw}\t${own?.raw ?? ""}\t1`;
        });
      const theirs = askTsharkForIams(path).map((line) => line.replaceAll(/F(?=\t)/g, ""));
      // The IAM with two calling party numbers is one that tshark takes as it comes.
      t.same(
        ours,
        theirs.filter((line) => name !== "isup-circuits.pcap" || !line.startsWith("10\t")),
        name,
      );
    }
  },
);

const iamLine = z.object({
  frame: z.number(),
  isup: z.object({ opc: z.number(), dpc: z.number(), cic: z.number() }),
  called: z.object({ raw: z.string() }),
  calling: z.array(z.object({ source: z.string(), raw: z.string() })),
});

// A run of tshark takes half a second: these are the captures whose frames are more than plain datagrams, and one of tricks.
const compared = ["accepted-calls.pcapng", "fragments.pcap", "two-faces.pcap", "routing.pcap"];

void t.test(
  "tshark finds the same attempts",
  { skip: hasTshark() ? false : "tshark is not installed" },
  async (t) => {
    for (const name of compared) {
      const path = join("pcaps", name);
      const lines = parseLines((await inspect([path], true)).stdout);
      const ours = lines.map((line) => [line["frame"], line["callId"]].join("\t"));
      t.same(ours, askTshark(path), name);
    }
  },
);
