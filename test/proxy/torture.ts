import { readdirSync, readFileSync } from "node:fs";
import t from "tap";
import { compileText, createTestProxy, peers } from "../support/proxy.ts";

/** Every rule that looks at the caller is off: what decides here is the message alone. */
const policy = compileText(`
version: 1
home: { country: "86" }
timeZone: Asia/Shanghai
trunks:
  - { id: core, side: core, match: { addresses: [198.51.100.1] } }
  - id: open
    side: national
    match: { addresses: [203.0.113.10] }
    nextHops: ["sip:198.51.100.1:5060"]
    rules: { hidden-caller: { mode: "off" }, caller-form: { mode: "off" }, cli-conflict: { mode: "off" }, number-class: { mode: "off" }, diversion-licence: { mode: "off" } }
`);

/**
 * What becomes of each message of RFC 4475 on a trunk: `forward`, a status, or `nothing` (responses that answer no request of
 * ours, and what can't be answered). The last column says why where the RFC's own view needs a word.
 */
const outcomes: Readonly<Record<string, readonly [outcome: string, why: string]>> = {
  badaspec: ["400", "spaces inside <>"],
  badbranch: ["200", "a branch that is only the cookie is taken as none"],
  baddate: ["forward", "a Date in another zone is nobody's caller"],
  baddn: ["400", "an unquoted comma in a display name"],
  badinv01: ["400", "a Via list with empty values"],
  badvers: ["nothing", "its Via is of SIP/7.0 too: there is nowhere to send a 505"],
  bcast: ["nothing", "a response to no request of ours"],
  bext01: ["420", "Proxy-Require of unknown extensions"],
  bigcode: ["nothing", "no status line"],
  clerr: ["400", "Content-Length beyond the datagram"],
  cparam01: ["405", "REGISTER is not carried"],
  cparam02: ["405", "REGISTER is not carried"],
  dblreq: ["405", "REGISTER; what stands behind its Content-Length is no request"],
  esc01: ["forward", "escapes are left as they are"],
  esc02: ["405", "RE%47IST%45R is not REGISTER"],
  escnull: ["405", "REGISTER is not carried"],
  escruri: ["400", "header fields in a Request-URI"],
  insuf: ["400", "From, To and Call-ID are missing; Via and CSeq are enough to answer"],
  intmeth: ["400", "valid by the grammar, but it holds a NUL: not carried"],
  inv2543: ["forward", "an RFC 2543 INVITE without a branch"],
  invut: ["forward", "a body of unknown type is none of ours"],
  longreq: ["forward", "long values"],
  ltgtruri: ["400", "a Request-URI in <>"],
  lwsdisp: ["200", "no white space before < is legal"],
  lwsruri: ["400", "white space in the Request-URI"],
  lwsstart: ["400", "two spaces in the request line"],
  mcl01: ["400", "two Content-Length fields"],
  mismatch01: ["400", "CSeq of another method"],
  mismatch02: ["400", "CSeq of another method"],
  mpart01: ["405", "MESSAGE is not carried"],
  multi01: ["400", "two of From, To, Call-ID and CSeq"],
  ncl: ["400", "negative Content-Length"],
  noreason: ["nothing", "a response to no request of ours"],
  novelsc: ["416", "a Request-URI of scheme soap.beep"],
  quotbal: ["400", "a quoted string without an end"],
  regaut01: ["405", "REGISTER is not carried"],
  regbadct: ["405", "REGISTER is not carried"],
  regescrt: ["405", "REGISTER is not carried"],
  scalar02: ["400", "CSeq and Max-Forwards beyond their bounds"],
  scalarlg: ["nothing", "a response to no request of ours"],
  sdp01: ["forward", "what the called side accepts is its business"],
  semiuri: ["200", "semicolons in the user part"],
  transports: ["200", "unknown transports in Via fields below the first"],
  trws: ["400", "a space after the SIP version"],
  unkscm: ["416", "a Request-URI of unknown scheme"],
  unksm2: ["405", "REGISTER is not carried"],
  unreason: ["nothing", "a response to no request of ours"],
  wsinv: ["481", "it has a To tag, and no dialog of ours"],
  zeromf: ["200", "an OPTIONS that may go no further is answered here"],
};

void t.test("RFC 4475", async (t) => {
  const folder = "test/sip/torture";
  const files = readdirSync(folder).filter((name) => name.endsWith(".dat"));
  t.equal(files.length, 49, "all of them");
  for (const name of files) {
    const proxy = createTestProxy(policy);
    const sent = proxy.receive(peers.lessee, readFileSync(`${folder}/${name}`));
    const first = sent[0];
    const outcome =
      first === undefined ? "nothing" : first.to === peers.core ? "forward" : first.text.slice(8, 11);
    t.same(proxy.faults, [], `${name}: no fault of ours`);
    const [expected, why] = outcomes[name.slice(0, -4)] ?? ["no row", ""];
    t.equal(outcome, expected, `${name}: ${why}`);
  }
});
