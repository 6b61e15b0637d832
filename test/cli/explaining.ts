import { Buffer } from "node:buffer";
import t from "tap";
import { explainCall } from "../../src/cli/explain.ts";
import { asReceived } from "../../src/cli/pasted-message.ts";
import { sayLeft, timeLeft } from "../../src/cli/captures/progress.ts";
import { request } from "../support/proxy.ts";

const NOW = Date.UTC(2026, 9, 3, 8, 0, 0);

const files: Readonly<Record<string, string>> = {
  "sigwall.yaml": "listen: [udp:192.0.2.1:5060]\npolicy: policy.yaml\nkeyFile: key\n",
  "policy.yaml": `version: 1
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - { id: lease, side: lessee, match: { addresses: [203.0.113.10] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"] }
  - { id: watched, side: lessee, match: { addresses: [203.0.113.11] }, lessee: bank, areaCode: "10", nextHops: ["sip:198.51.100.1:5060"], rules: { caller-authentication: { mode: monitor } } }
  - { id: intl, side: international, match: { addresses: [203.0.113.20] }, nextHops: ["sip:198.51.100.1:5060"] }
  - { id: labelled, side: international, match: { addresses: [203.0.113.21] }, nextHops: ["sip:198.51.100.1:5060"], rules: { home-cli-from-abroad: { roamers: label } } }
  - { id: circuits, side: lessee, match: { addresses: [203.0.113.23], opc: [1001], cic: ["1-30", 64], ni: 2 }, lessee: bank, ss7: { serviceIndicators: [5, 3] } }
  - { id: national-only, side: international, match: { addresses: [203.0.113.22] }, nextHops: ["sip:198.51.100.1:5060"], bareForm: national }
lessees:
  - { id: bank, numbers: bank.csv }
lists:
  police: { file: police.csv, kind: police }
`,
  "bank.csv":
    "number,contract,purpose\n+861087654321,HT-7,sales\n+861087654330..+861087654339,HT-8,\n+861066660000,,\n",
  "police.csv": 'number,notice,source,note\n+861066660000,2026-17,"MIIT, Beijing",fraud\n',
};

interface Asked {
  readonly trunk: string;
  readonly from?: string;
  readonly to?: string;
  readonly message?: string;
  readonly json?: boolean;
}

/** Runs `explain`; `message` is the text of the file that `--message` names. */
function explain({ trunk, from, to = "02787654321", message, json = false }: Asked): {
  readonly code: number;
  readonly out: string;
  readonly err: string;
} {
  let out = "";
  let err = "";
  const all: Readonly<Record<string, string>> =
    message === undefined ? files : { ...files, "call.sip": message };
  const code = explainCall(
    {
      config: "sigwall.yaml",
      trunk,
      from,
      to,
      message: message === undefined ? undefined : "call.sip",
      json,
    },
    {
      stdout: { write: (text: string) => (out += text) },
      stderr: { write: (text: string) => (err += text) },
      readFile: (path) => {
        const text = all[path];
        return text === undefined ? { error: "no such file" } : { bytes: Buffer.from(text, "latin1") };
      },
      now: NOW,
    },
  );
  return { code, out, err };
}

void t.test("which SS7 messages are the trunk's, and which of them may pass", (t) => {
  const { out } = explain({ trunk: "circuits", from: "+861087654321" });
  t.match(
    out,
    "\n  messages over 203.0.113.23 from point code 1001, circuit 1-30 64, network indicator 2\n" +
      "  may send ISUP, SCCP of point code 1001\n\n",
  );
  t.notMatch(explain({ trunk: "lease", from: "+861087654321" }).out, "messages over", "a SIP trunk");
  t.end();
});

void t.test("the row that decided is shown with its notice, source, contract and purpose", (t) => {
  const police = explain({ trunk: "lease", from: "+861066660000" });
  t.match(police.out, "reject police-listed");
  t.match(police.out, "police.csv:2: notice 2026-17, source MIIT, Beijing, note fraud\n");
  const listed = explain({ trunk: "lease", from: "+861087654321" });
  t.match(listed.out, "bank.csv:2: contract HT-7, purpose sales\n");
  const unlisted = explain({ trunk: "lease", from: "+861087650000" });
  t.notMatch(unlisted.out, /\.csv:\d+: /u, "no row, no line");
  const lines = explain({ trunk: "lease", from: "+861066660000", json: true }).out.trim().split("\n");
  const decided: unknown = lines
    .map((line): unknown => JSON.parse(line))
    .find((line) => JSON.stringify(line).includes('"rule":"deny-lists"'));
  t.match(decided, { row: { notice: "2026-17", source: "MIIT, Beijing", note: "fraud" } });
  t.end();
});

void t.test("to turn it around: no advice that changes nothing, and no row that is not there alone", (t) => {
  const rows: readonly (readonly [asked: Asked, verdict: string, changes: readonly string[]])[] = [
    [{ trunk: "lease", from: "+861087654321" }, "accept listed", ["remove +861087654321 from bank.csv:2"]],
    [
      { trunk: "lease", from: "+861087654335" },
      "accept listed",
      ["split the range or prefix at bank.csv:3, so that it leaves +861087654335 out"],
    ],
    [
      { trunk: "watched", from: "+861087654321" },
      "accept default",
      ["set caller-authentication to enforce", "remove +861087654321 from bank.csv:2"],
    ],
    [{ trunk: "watched", from: "+861087650000" }, "accept default", ["set caller-authentication to enforce"]],
    [
      { trunk: "lease", from: "+861066660000" },
      "reject police-listed",
      ["remove +861066660000 from police.csv:2 once its issuer has released it"],
    ],
    [
      { trunk: "intl", from: "+8613912345678" },
      "reject home-cli-from-abroad",
      ["set roamers to accept, label or withhold (now reject)"],
    ],
    [
      { trunk: "labelled", from: "+8613912345678" },
      "label home-cli-from-abroad",
      ["set roamers to reject or drop (now label)"],
    ],
    [
      { trunk: "national-only", from: "442079460000" },
      "reject cli-malformed",
      ['write "442079460000" in from as +, country code and number, or set bareForm: auto on national-only'],
    ],
    [
      { trunk: "national-only", from: "+442" },
      "reject cli-malformed",
      ['send a number that its plan allows in place of "+442" in from'],
    ],
  ];
  for (const [asked, verdict, changes] of rows) {
    const { out } = explain(asked);
    const name = `${asked.trunk} ${asked.from ?? ""}`;
    t.match(out, `verdict: ${verdict},`, name);
    const told = out.slice(out.indexOf("to turn it around:")).trimEnd().split("\n");
    t.same(
      told,
      changes.map(
        (change, index) => `${index === 0 ? "to turn it around:" : "               and"} ${change}`,
      ),
      name,
    );
  }
  t.end();
});

void t.test("an INVITE pasted from a ticket is read, whatever was lost at its end", (t) => {
  const body = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\n";
  const invite = request({
    headers: ["Contact: <sip:pbx@203.0.113.10>", "Content-Type: application/sdp"],
    body,
  });
  const pasted = invite.replaceAll("\r\n", "\n");
  const rows: readonly (readonly [name: string, message: string])[] = [
    ["as received", invite],
    ["LF", pasted],
    ["behind empty lines", `\n\n${pasted}`],
    ["without the last line end", pasted.slice(0, -1)],
    ["without the last line", pasted.slice(0, pasted.lastIndexOf("s=-"))],
    ["without a body", pasted.slice(0, pasted.indexOf("\n\n") + 1)],
    ["without the empty line", pasted.slice(0, pasted.indexOf("\n\n"))],
    ["indented", pasted.replaceAll(/^/gmu, "    ")],
    ["indented, empty lines bare", pasted.replaceAll(/^(?=.)/gmu, "\t")],
    ["as an answer quotes it", pasted.replaceAll(/^/gmu, "> ").replaceAll(/ $/gmu, "")],
    ["quoted with CRLF", pasted.replaceAll(/^/gmu, "> ").replaceAll("\n", "\r\n")],
    ["by ngrep", `#\nU 203.0.113.10:5060 -> 198.51.100.1:5060\n${pasted.replaceAll("\n", ".\n")}`],
    ["by sngrep", `2026/10/03 08:15:02.123456 203.0.113.10:5060 -> 198.51.100.1:5060\n${invite}`],
    ["by tshark", `Session Initiation Protocol (INVITE)\n${pasted.replaceAll(/^(.*)$/gmu, "    $1\\r\\n")}`],
    ["by a PBX", `<--- SIP read from UDP:203.0.113.10:5060 --->\n${pasted}\n<------------->\n`],
    ["with a byte order mark", `\u00ef\u00bb\u00bf${pasted}`],
    ["with spaces at the ends", pasted.replaceAll(/$/gmu, " ")],
    ["CR alone", pasted.replaceAll("\n", "\r")],
  ];
  for (const [name, message] of rows) {
    const { code, out, err } = explain({ trunk: "lease", message });
    t.equal(err, "", name);
    t.equal(code, 0, name);
    t.match(out, "verdict: accept listed", name);
  }
  t.equal(asReceived(Buffer.from(pasted)).toString(), invite, "the octets of the wire come back");
  t.equal(asReceived(Buffer.from(pasted.slice(0, -1))).toString(), invite);
  const broken = invite.replace("\r\nTo:", "\nTo:");
  t.match(
    explain({ trunk: "lease", message: broken }).err,
    /malformed/u,
    "a stray LF in a real message is told",
  );
  const quoting = invite.replace("SIP/2.0", "SIP/3.0").replace("v=0", "INVITE sip:a@b SIP/2.0");
  t.match(
    explain({ trunk: "lease", message: quoting }).err,
    /version/u,
    "a request in a body is not the request",
  );
  for (const none of ["", "hello\n", pasted.replace(/^.*/u, "SIP/2.0 200 OK")])
    t.match(explain({ trunk: "lease", message: none }).err, /no SIP request is in it/u);
  t.end();
});

void t.test("the time left of a capture: by what was read since the start", (t) => {
  t.equal(timeLeft(1000, 250, 3000), 9000);
  t.equal(timeLeft(1000, 1000, 3000), 0);
  t.equal(timeLeft(1000, 0, 3000), Infinity);
  const words: readonly (readonly [number, string])[] = [
    [0, "0 s"],
    [1, "1 s"],
    [59_000, "59 s"],
    [125_000, "2 min 5 s"],
    [3_725_000, "1 h 2 min"],
    [Infinity, "?"],
  ];
  for (const [millis, text] of words) t.equal(sayLeft(millis), text);
  t.end();
});
