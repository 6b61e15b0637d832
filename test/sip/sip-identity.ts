import { Buffer } from "node:buffer";
import t from "tap";
import { formatNumber, type DialPlan } from "../../src/domain/number.ts";
import { PrivacyFlag } from "../../src/domain/attempt.ts";
import { readCalledNumber } from "../../src/numbering/e164.ts";
import { readAttempt } from "../../src/sip/attempt/sip-attempt.ts";
import { readCalling, readPrivacy, type NamedCallee } from "../../src/sip/attempt/sip-identity.ts";
import { createMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";
import { basicPolicy, compileText, request, type RequestParts } from "../support/proxy.ts";

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
function read(
  parts: RequestParts,
  callee?: NamedCallee,
): {
  readonly calling: readonly string[];
  readonly fault: string | undefined;
} {
  scan(message, Buffer.from(request(parts), "latin1"));
  const calling = readCalling(message, plan, readPrivacy(message), callee).map(
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
      "RPID of the calling party, of nobody said, of the called party: not everybody looks at the party",
      {
        from: clean,
        headers: [
          "Remote-Party-ID: <sip:87654321@g>;party=calling;privacy=off, <sip:87654322@g>;privacy=full, <sip:87654323@g>;party=called",
        ],
      },
      [
        "remote-party-id 87654321 +861087654321 allowed",
        "remote-party-id 87654322 +861087654322 restricted",
        "remote-party-id 87654323 +861087654323 allowed",
        "from +861087654321 +861087654321 allowed",
      ],
    ],
    ["no user", { from: "<sip:203.0.113.5>;tag=1" }, ["from  empty allowed"]],
    ["empty user", { from: "<sip:@203.0.113.5>;tag=1" }, ["from  empty allowed"]],
    ["no user, host name", { from: "<sip:9588.example>;tag=1" }, ["from  empty allowed"]],
    ["no user, IPv6", { from: "<sip:[2001:db8::5]:5060>;tag=1" }, ["from  empty allowed"]],
    ["no user, IPv6 of digits", { from: "<sip:[2001:1391::2345:678]>;tag=1" }, ["from  empty allowed"]],
    ["a number in brackets", { from: "<sip:[13912345678]>;tag=1" }, ["from 13912345678 invalid allowed"]],
    ["… behind colons", { from: "<sip:[::13912345678]>;tag=1" }, ["from ::13912345678 invalid allowed"]],
    ["a number in place of a host", { from: "<sip:95588>;tag=1" }, ["from 95588 invalid allowed"]],
    ["the same with a port", { from: "<sip:95588:5060>;tag=1" }, ["from 95588 invalid allowed"]],
    ["and parameters", { from: "<sip:+8610-110;user=phone>;tag=1" }, ["from +8610-110 invalid allowed"]],
    ["and an empty user", { from: "<sip:@95588>;tag=1" }, ["from 95588 invalid allowed"]],
    [
      "too much for an address",
      { from: "<sip:139.123.456.78>;tag=1" },
      ["from 139.123.456.78 invalid allowed"],
    ],
    ["too short for one", { from: "<sip:10.876.54321>;tag=1" }, ["from 10.876.54321 invalid allowed"]],
    ["a name before it", { from: "<sip:alice@95588>;tag=1" }, ["from 95588 invalid allowed"]],
    [
      "… before a whole number",
      { from: "<sip:alice@13912345678>;tag=1" },
      ["from 13912345678 invalid allowed"],
    ],
    [
      "… before digits too short for one",
      { from: "<sip:alice@100>;tag=1" },
      ["from alice not-a-number allowed"],
    ],
    ["… before an address", { from: "<sip:alice@192.0.2.1>;tag=1" }, ["from alice not-a-number allowed"]],
    ["a number with a port", { from: "<sip:13912345678:5060>;tag=1" }, ["from 13912345678 invalid allowed"]],
    [
      "a number and a domain",
      { from: "<sip:13912345678.example>;tag=1" },
      ["from 13912345678.example invalid allowed"],
    ],
    [
      "… with hyphens",
      { from: "<sip:139-1234-5678.example>;tag=1" },
      ["from 139-1234-5678.example invalid allowed"],
    ],
    ["a number and a letter", { from: "<sip:13912345678x>;tag=1" }, ["from 13912345678x invalid allowed"]],
    [
      "a number that is escaped",
      { from: "<sip:%2B8613912345678>;tag=1" },
      ["from %2B8613912345678 invalid allowed"],
    ],
    [
      "a server of a mobile network",
      {
        from: "<sip:gw.example>;tag=1",
        headers: ["P-Asserted-Identity: <sip:123456789012.sccas.ims.mnc000.mcc460.3gppnetwork.org>"],
      },
      ["p-asserted-identity  empty allowed", "from  empty allowed"],
    ],
    [
      "… in From",
      { from: "<sip:13912345678.ims.mnc000.mcc460.3gppnetwork.org>;tag=1" },
      ["from 13912345678.ims.mnc000.mcc460.3gppnetwork.org invalid allowed"],
    ],
    [
      "a number and a domain in P-Asserted-Identity",
      { from: "<sip:gw.example>;tag=1", headers: ["P-Asserted-Identity: <sip:13912345678.example>"] },
      ["p-asserted-identity 13912345678.example invalid allowed", "from  empty allowed"],
    ],
    ["a name of a host", { from: "<sip:gw.example>;tag=1" }, ["from  empty allowed"]],
    ["… with few digits", { from: "<sip:163.example>;tag=1" }, ["from  empty allowed"]],
    ["… made of an address", { from: "<sip:192-0-2-101.example>;tag=1" }, ["from  empty allowed"]],
    ["… and more", { from: "<sip:203-0-113-55-static.example>;tag=1" }, ["from  empty allowed"]],
    [
      "a whole user before a number",
      { from: "<sip:+442079460000@13912345678>;tag=1" },
      ["from +442079460000 +442079460000 allowed"],
    ],
    [
      "a context behind the host that makes another number",
      { from: "<sip:87654321@h;user=phone;phone-context=+8621>;tag=1" },
      ["from 87654321 invalid allowed"],
    ],
    [
      "… the same number",
      { from: "<sip:87654321@h;phone-context=+8610>;tag=1" },
      ["from 87654321 +861087654321 allowed"],
    ],
    [
      "… none",
      { from: "<sip:87654321@h;phone-context=h.example>;tag=1" },
      ["from 87654321 +861087654321 allowed"],
    ],
    [
      "… of a global number",
      { from: "<sip:+861087654321@h;phone-context=+8621>;tag=1" },
      ["from +861087654321 +861087654321 allowed"],
    ],
    [
      "a word for a hidden caller in place of a host",
      { from: "<sip:Anonymous>;tag=1" },
      ["from Anonymous token restricted"],
    ],
    ["… with a domain", { from: "<sip:anonymous.example>;tag=1" }, ["from  empty allowed"]],
    ["parameters of no number", { from: "<sip:;95588@h>;tag=1" }, ["from  invalid allowed"]],
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

void t.test("a Remote-Party-ID of the called party", async (t) => {
  const dialled = readCalledNumber("02787654321", plan);
  const from = "from +861087654321 +861087654321 allowed";
  const other = "remote-party-id 95588 95588 allowed";
  const repeated = "remote-party-id: party or privacy appears twice";
  const rows: readonly (readonly [string, string, NamedCallee, readonly string[], string?])[] = [
    ["the number that was dialled", "<sip:02787654321@g>;party=called", dialled, [from]],
    ["another spelling of it", "<tel:+86-27-87654321>;PARTY=Called", dialled, [from]],
    ["near miss: another number", "<sip:95588@g>;party=called;screen=yes", dialled, [other, from]],
    ["no number is no proof", "<sip:95588@g>;party=called", readCalledNumber("x", plan), [other, from]],
    ["nobody knows whom it may name", "<sip:95588@g>;party=called", undefined, [other, from]],
    ["a trusted trunk", "<sip:95588@g>;party=called", "anyone", [from]],
    ["a trusted trunk, near miss: calling", "<sip:95588@g>;party=calling", "anyone", [other, from]],
    ["party twice", "<sip:95588@g>;party=called;party=calling", dialled, [other, from], repeated],
    [
      "party twice, the dialled number",
      "<sip:02787654321@g>;party=called; Party =calling",
      dialled,
      [from],
      repeated,
    ],
    ["privacy twice", "<sip:95588@g>;privacy=off;privacy=full", dialled, [other, from], repeated],
    ["near miss: party in quotes", '<sip:95588@g>;screen="a;party=called"', dialled, [other, from]],
    ["near miss: others twice", "<sip:95588@g>;screen=yes;screen=no", dialled, [other, from]],
  ];
  for (const [name, value, callee, calling, fault] of rows) {
    const found = read({ from: clean, headers: [`Remote-Party-ID: ${value}`] }, callee);
    t.same(found.calling, calling, name);
    t.equal(found.fault, fault, `${name}: fault`);
  }
});

void t.test("whom a Remote-Party-ID speaks for", async (t) => {
  const dialled = readCalledNumber("02787654321", plan);
  // undefined: it is left out.
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["<sip:87654321@g>;party=calling", "calling"],
    ["<sip:87654321@g>;party=CALLING", "calling"],
    ["<sip:87654321@g>", "calling"],
    ["<sip:02787654321@g>;party=calling", "calling"],
    ["<sip:02787654321@g>", "called"],
    ["<tel:+86-27-87654321>;screen=yes", "called"],
    ["<sip:02787654321@g>;party=called", undefined],
    ["<sip:87654321@g>;party=called", "called"],
    ["<sip:87654321@g>;party=other", "called"],
    ['<sip:87654321@g>;party="calling"', "called"],
    ["<sip:02787654322@g>", "calling"],
  ];
  for (const [value, party] of rows) {
    scan(message, Buffer.from(request({ from: clean, headers: [`Remote-Party-ID: ${value}`] })));
    const [identity] = readCalling(message, plan, 0, dialled);
    const found = identity?.source === "from" ? undefined : (identity?.party ?? "calling");
    t.equal(found, party, value);
    t.equal(message.fault, undefined, `${value}: no fault`);
  }
});

void t.test("only the number that a Request-URI leads to may be called the called party", async (t) => {
  const policy = compileText(basicPolicy);
  const origin = {
    signalling: "sip",
    transport: "udp",
    sourceAddress: "203.0.113.10",
    sourcePort: 5060,
    destinationAddress: "192.0.2.1",
    destinationPort: 5060,
  } as const;
  const rows: readonly (readonly [string, string, string, number])[] = [
    ["the dialled number", "lease", "sip:95588@192.0.2.1;user=phone", 1],
    ["near miss: another number was dialled", "lease", "sip:955881@192.0.2.1", 2],
    ["a routing number leads elsewhere", "lease", "sip:95588;npdi;rn=+8613800138000@192.0.2.1", 2],
    ["and behind the host", "lease", "sip:95588@192.0.2.1;rn=+8613800138000", 2],
    ["another host leads elsewhere", "lease", "sip:95588@192.0.2.1;maddr=203.0.113.66", 2],
    ["a context leads elsewhere", "lease", "sip:95588;phone-context=h.example@192.0.2.1", 2],
    ["a service", "lease", "urn:service:sos", 2],
    ["from abroad too", "intl", "sip:02787654321@192.0.2.1", 2],
    ["the core is trusted", "core", "sip:02787654321@192.0.2.1", 1],
  ];
  for (const [name, id, uri, calling] of rows) {
    const trunk = policy.trunkById(id)?.trunk;
    if (trunk === undefined) throw new Error("no trunk");
    const headers = ["Remote-Party-ID: <sip:95588@g>;party=called"];
    scan(message, Buffer.from(request({ uri, from: clean, headers })));
    t.equal(readAttempt(message, trunk, 0, origin).calling.length, calling, name);
    t.equal(message.fault, undefined, `${name}: no fault`);
  }
});

/** A field of `n` values. */
function list(name: string, n: number): string {
  return `${name}: ${Array.from({ length: n }, () => "<sip:87654321@g>;index=1").join(",")}`;
}

void t.test("at most 16 asserted callers", async (t) => {
  const tooMany = "more than 16 asserted callers";
  const rows: readonly (readonly [string, readonly string[], number, string?])[] = [
    ["15 and From", [list("P-Asserted-Identity", 15)], 16],
    ["16 and From", [list("P-Asserted-Identity", 16)], 16, tooMany],
    ["8 and 7 and From", [list("P-Asserted-Identity", 8), list("P-Preferred-Identity", 7)], 16],
    [
      "8 and 7 and 1 and From",
      [list("P-Asserted-Identity", 8), list("P-Preferred-Identity", 7), list("Remote-Party-ID", 1)],
      16,
      tooMany,
    ],
    ["thousands", [list("P-Preferred-Identity", 5000)], 16, tooMany],
  ];
  for (const [name, headers, calling, fault] of rows) {
    const found = read({ from: clean, headers });
    t.equal(found.calling.length, calling, name);
    t.equal(found.fault, fault, `${name}: fault`);
  }
  const ignored = Array.from({ length: 5000 }, () => "<sip:95588@g>;party=called").join(",");
  t.equal(read({ from: clean, headers: [`Remote-Party-ID: ${ignored}`] }, "anyone").fault, tooMany);
});

void t.test("presentation restricted (H1, H2, H3, H4, H6)", async (t) => {
  const rows: readonly (readonly [string, RequestParts, string])[] = [
    ["anonymous.invalid", { from: '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1' }, "restricted"],
    ["host alone", { from: "<sip:+861087654321@Anonymous.INVALID>;tag=1" }, "restricted"],
    ["near miss: another host", { from: "<sip:+861087654321@anonymous.invalid.example>;tag=1" }, "allowed"],
    ["display name over a number hides the name only", { from: `anonymous ${clean}` }, "allowed"],
    ["display name quoted, upper case", { from: `"ANONYMOUS" ${clean}` }, "allowed"],
    ["display name over something like a number", { from: '"Anonymous" <sip:8001@a>;tag=1' }, "allowed"],
    ["display name without a number", { from: '"Anonymous" <sip:192.0.2.1>;tag=1' }, "restricted"],
    ["display name over a name", { from: '"Anonymous" <sip:alice@a>;tag=1' }, "restricted"],
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
    ["Privacy: in quotes", { from: clean, headers: ['Privacy: "id"'] }, "restricted"],
    ["Privacy: by spaces", { from: clean, headers: ["Privacy: critical id"] }, "restricted"],
    ["Privacy: with a value", { from: clean, headers: ["Privacy: id=yes"] }, "restricted"],
    ["near miss: Privacy: x-id", { from: clean, headers: ["Privacy: x-id;id-x;id."] }, "allowed"],
    ["near miss: Privacy: identity", { from: clean, headers: ["Privacy: identity"] }, "allowed"],
  ];
  for (const [name, parts, presentation] of rows)
    t.match(read(parts).calling[0], new RegExp(`${presentation}$`, "u"), name);
});

/** Presentation of the Remote-Party-ID and of From, by the parameters behind the address. */
void t.test("privacy of a Remote-Party-ID (draft-ietf-sip-privacy-04)", async (t) => {
  const rows: readonly (readonly [string, "allowed" | "restricted"])[] = [
    ["", "allowed"],
    [";privacy", "allowed"],
    [";privacy=", "allowed"],
    [";privacy=off", "allowed"],
    [";privacy=name", "allowed"],
    [";PRIVACY=Name", "allowed"],
    [';privacy="name"', "allowed"],
    [";privacy=name-network", "allowed"],
    [";privacy=none", "allowed"],
    [";party=calling;id-type=subscriber;privacy=name;screen=yes", "allowed"],
    [';privacy="name,off"', "allowed"],
    [";privacy=off,name;screen=yes", "allowed"],
    [";privacy=name , off", "allowed"],
    [";privacy=full", "restricted"],
    [";privacy=FULL", "restricted"],
    [';privacy="full"', "restricted"],
    [";privacy=full-network", "restricted"],
    [";privacy=uri", "restricted"],
    [";privacy = uri ;screen=yes", "restricted"],
    [";privacy=uri-network", "restricted"],
    [';privacy="name,uri"', "restricted"],
    [";privacy=name,uri", "restricted"],
    [";privacy=name,uri;screen=yes", "restricted"],
    [";privacy=off, name, full;party=calling", "restricted"],
    [";privacy=yes", "restricted"],
    [";privacy=id", "restricted"],
    [";privacy=namely", "restricted"],
  ];
  for (const [params, presentation] of rows) {
    const { calling, fault } = read({
      from: clean,
      headers: [`Remote-Party-ID: "Ops" <sip:01087654321@a>${params}`],
    });
    t.same(
      calling,
      [
        `remote-party-id 01087654321 +861087654321 ${presentation}`,
        "from +861087654321 +861087654321 allowed",
      ],
      params,
    );
    t.equal(fault, undefined, `${params}: no fault`);
  }
  // Near misses: the comma ends the value where no word of `privacy` stands behind it.
  const split: readonly (readonly [string, number, string | undefined])[] = [
    [";privacy=name,<sip:01087654322@a>;privacy=uri", 3, undefined],
    [";privacy=name,uri,<sip:01087654322@a>", 3, undefined],
    [";screen=yes,uri", 3, "remote-party-id: URI without a scheme"],
    [";privacy=name,number", 3, "remote-party-id: URI without a scheme"],
    [";privacy=off,off;privacy=uri", 2, "remote-party-id: party or privacy appears twice"],
  ];
  for (const [params, calling, fault] of split) {
    const found = read({ from: clean, headers: [`Remote-Party-ID: <sip:01087654321@a>${params}`] });
    t.equal(found.calling.length, calling, params);
    t.equal(found.fault, fault, `${params}: fault`);
  }
});

void t.test("privacy values as bits", async (t) => {
  scan(message, Buffer.from(request({ headers: ["Privacy: header;session;critical"] })));
  t.equal(readPrivacy(message), PrivacyFlag.header | PrivacyFlag.session | PrivacyFlag.critical);
});
