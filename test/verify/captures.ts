import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
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

function hasTshark(): boolean {
  try {
    execFileSync("tshark", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

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
