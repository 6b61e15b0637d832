import { Buffer } from "node:buffer";
import t from "tap";
import { formatNumber, type DialPlan } from "../../src/domain/number.ts";
import { PrivacyFlag } from "../../src/domain/attempt.ts";
import { readCalling, readDiversion, readPrivacy } from "../../src/sip/identity.ts";
import { createMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { request, type RequestParts } from "../support/proxy.ts";

const plan: DialPlan = {
  international: false,
  homeArea: "10",
  phoneContexts: new Set(),
  bareForm: "auto",
  tolerateTrunkZero: false,
  stripTrailingST: false,
};
const message = createMessage();

/** "source raw → number presentation" of every asserted identity, and the fault. */
function read(parts: RequestParts): {
  readonly calling: readonly string[];
  readonly fault: string | undefined;
} {
  scan(message, Buffer.from(request(parts), "latin1"));
  const calling = readCalling(message, plan, readPrivacy(message)).map(
    ({ source, number, presentation }) =>
      `${source} ${number.raw} ${formatNumber(number) ?? (number.kind === "unusable" ? number.why : "")} ${presentation}`,
  );
  return { calling, fault: message.fault };
}

const clean = "<sip:+861087654321@a>;tag=1";

void t.test("every asserted value is an identity of its own", async (t) => {
  const rows: readonly (readonly [string, RequestParts, readonly string[], string?])[] = [
    ["From alone", { from: clean }, ["from +861087654321 +861087654321 allowed"]],
    [
      "PAI list on one line, sip and tel",
      {
        from: clean,
        headers: [
          'P-Asserted-Identity: "Ops, N" <sip:01087654321;x=y@t;user=phone>, <tel:+861087654322;ext=1>',
        ],
      },
      [
        "p-asserted-identity 01087654321 +861087654321 allowed",
        "p-asserted-identity +861087654322 +861087654322 allowed",
        "from +861087654321 +861087654321 allowed",
      ],
    ],
    [
      "PAI on two lines, one folded, odd case",
      {
        from: clean,
        headers: ["P-ASSERTED-identity:\r\n <tel:95588>", "P-Asserted-Identity: <sip:13912345678@t>"],
      },
      [
        "p-asserted-identity 95588 95588 allowed",
        "p-asserted-identity 13912345678 +8613912345678 allowed",
        "from +861087654321 +861087654321 allowed",
      ],
    ],
    [
      "PPI",
      { from: clean, headers: ["P-Preferred-Identity: <tel:+1>"] },
      ["p-preferred-identity +1 invalid allowed", "from +861087654321 +861087654321 allowed"],
    ],
    [
      "RPID of the calling party, of nobody said, of the called party",
      {
        from: clean,
        headers: [
          "Remote-Party-ID: <sip:87654321@g>;party=calling;privacy=off, <sip:87654322@g>;privacy=full, <sip:87654323@g>;party=called",
        ],
      },
      [
        "remote-party-id 87654321 +861087654321 allowed",
        "remote-party-id 87654322 +861087654322 restricted",
        "from +861087654321 +861087654321 allowed",
      ],
    ],
    ["no user", { from: "<sip:203.0.113.5>;tag=1" }, ["from  empty allowed"]],
    ["empty user", { from: "<sip:@203.0.113.5>;tag=1" }, ["from  empty allowed"]],
    ["a name", { from: "<sip:alice@pbx>;tag=1" }, ["from alice not-a-number allowed"]],
    ["another scheme", { from: "<http://+861087654321>;tag=1" }, ["from //+861087654321 invalid allowed"]],
    ["password", { from: "<sip:+861087654321:pw@a>;tag=1" }, ["from +861087654321:pw invalid allowed"]],
    [
      "password behind parameters",
      { from: "<sip:+861087654321;cpc=x:pw@a>;tag=1" },
      ["from +861087654321 invalid allowed"],
    ],
    [
      "two @",
      { from: "<sip:+861087654321@a@b>;tag=1" },
      ["from +861087654321@a invalid allowed"],
      "from: more than one @",
    ],
    [
      "two addresses in From",
      { from: `${clean}, <sip:+1@b>` },
      ["from +861087654321 +861087654321 allowed", "from +1 invalid allowed"],
      "from: more than one address",
    ],
    [
      "unclosed quote in a PAI",
      { from: clean, headers: ['P-Asserted-Identity: "x <tel:+861087654321>'] },
      ["p-asserted-identity  invalid allowed", "from +861087654321 +861087654321 allowed"],
      "p-asserted-identity: quoted string without an end",
    ],
  ];
  for (const [name, parts, calling, fault] of rows) {
    const found = read(parts);
    t.same(found.calling, calling, name);
    t.equal(found.fault, fault, `${name}: fault`);
  }
});

void t.test("presentation restricted (H1, H2, H3, H4, H6)", async (t) => {
  const rows: readonly (readonly [string, RequestParts, string])[] = [
    ["anonymous.invalid", { from: '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1' }, "restricted"],
    ["host alone", { from: "<sip:+861087654321@Anonymous.INVALID>;tag=1" }, "restricted"],
    ["near miss: another host", { from: "<sip:+861087654321@anonymous.invalid.example>;tag=1" }, "allowed"],
    ["display name over a listed number", { from: `anonymous ${clean}` }, "restricted"],
    ["display name quoted, upper case", { from: `"ANONYMOUS" ${clean}` }, "restricted"],
    ["near miss: display name", { from: `"Anonymous Ltd" ${clean}` }, "allowed"],
    ["token", { from: "<sip:Unavailable@unknown.invalid>;tag=1" }, "restricted"],
    ["Privacy: id", { from: clean, headers: ["Privacy: id"] }, "restricted"],
    ["Privacy: user among others", { from: clean, headers: ["Privacy: header;USER;critical"] }, "restricted"],
    [
      "Privacy by comma on two lines",
      { from: clean, headers: ["Privacy: none", "Privacy: header, id"] },
      "restricted",
    ],
    ["near miss: Privacy: none", { from: clean, headers: ["Privacy: none"] }, "allowed"],
    [
      "near miss: Privacy: header;session;history",
      { from: clean, headers: ["Privacy: header;session;history"] },
      "allowed",
    ],
    ["near miss: Privacy: identity", { from: clean, headers: ["Privacy: identity"] }, "allowed"],
  ];
  for (const [name, parts, presentation] of rows)
    t.match(read(parts).calling[0], new RegExp(`${presentation}$`, "u"), name);
});

void t.test("privacy values as bits", async (t) => {
  scan(message, Buffer.from(request({ headers: ["Privacy: header;session;critical"] })));
  t.equal(readPrivacy(message), PrivacyFlag.header | PrivacyFlag.session | PrivacyFlag.critical);
});

void t.test("diverting parties, the most recent first", async (t) => {
  const rows: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["none", [], []],
    [
      "Diversion, two values",
      ["Diversion: <sip:87654321@g>;reason=unconditional, <tel:+8613800138000>"],
      ["+861087654321", "+8613800138000"],
    ],
    [
      "History-Info with one entry is no diversion",
      ["History-Info: <sip:87654321@g?Reason=SIP%3Bcause%3D302>;index=1"],
      [],
    ],
    [
      "History-Info: escaped Reason",
      ["History-Info: <sip:87654321@g?Reason=SIP%3Bcause%3D302>;index=1, <sip:87654322@g>;index=1.1"],
      ["+861087654321"],
    ],
    [
      "History-Info: cause of the next entry",
      ["History-Info: <sip:87654321@g>;index=1", "History-Info: <sip:87654322@g;cause=302>;index=1.1;mp=1"],
      ["+861087654321"],
    ],
    [
      "near miss: two entries without a cause",
      ["History-Info: <sip:87654321@g>;index=1, <sip:87654322@g>;index=1.1"],
      [],
    ],
    [
      "twice diverted",
      [
        "History-Info: <sip:87654321@g>;index=1, <sip:87654322@g;cause=302>;index=1.1, <sip:87654323@g;cause=486>;index=1.2",
      ],
      ["+861087654322", "+861087654321"],
    ],
  ];
  for (const [name, headers, wanted] of rows) {
    scan(message, Buffer.from(request({ headers })));
    t.same(
      readDiversion(message, plan).map(({ number }) => formatNumber(number)),
      wanted,
      name,
    );
  }
});
