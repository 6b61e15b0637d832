import t from "tap";
import { createAddressSpan, readAddress, readParam, readUri } from "../../src/sip/fields/name-addr.ts";
import { readVia } from "../../src/sip/fields/via.ts";

const span = createAddressSpan();

function readList(value: string): void {
  for (let at = 0; at < value.length; at = span.end + 1) {
    readAddress(value, at, span);
    readUri(value, span.uriStart, span.uriEnd);
    readParam(value, span.paramsStart, span.end, "tag");
  }
}

function readVias(value: string): void {
  for (let at = 0; at < value.length; at = (readVia(value, at)?.end ?? value.length) + 1);
}

/** The shortest of several runs, in milliseconds: what the work takes when nothing else runs. */
function timeOf(work: (value: string) => void, value: string): number {
  let best = Infinity;
  for (let run = 0; run < 20; run++) {
    const begun = performance.now();
    work(value);
    best = Math.min(best, performance.now() - begun);
  }
  return best;
}

void t.test("sixteen times the field is about sixteen times the work, whatever stands in it", async (t) => {
  // What is repeated, behind what, read by whom.
  const rows: readonly (readonly [string, string, (value: string) => void])[] = [
    ["<sip:a>,", "", readList],
    ["<sip:a@b>,", "", readList],
    ["<sip:[a>,", "", readList],
    ["<a>,", "", readList],
    ["<sip:a@b>;x,", "", readList],
    ["<sip:a@b>;tag=x,", "", readList],
    ['<sip:a@b>;x="y",', "", readList],
    [";", "<sip:a@b>", readList],
    [";x", "<sip:a@b>", readList],
    [';x="', "<sip:a@b>", readList],
    ['"', "<sip:a@b>;x=", readList],
    ['\\"', '"', readList],
    [" ", "<sip:a@b>;", readList],
    ["@", "sip:", readList],
    ["<sip:", "", readList],
    [";", "SIP/2.0/UDP a", readVias],
    [";x=", "SIP/2.0/UDP a", readVias],
    [';x="', "SIP/2.0/UDP a", readVias],
    [" ", "SIP/2.0/UDP a;", readVias],
    ["SIP/2.0/UDP a,", "", readVias],
    ["SIP/2.0/UDP [a]:1;rport,", "", readVias],
  ];
  const long = 60_000;
  for (const [part, before, work] of rows) {
    const make = (length: number): string => before + part.repeat(length / part.length);
    let factor = Infinity;
    // A machine that is busy with something else gets another chance.
    for (let attempt = 0; attempt < 4 && factor >= 64; attempt++) {
      timeOf(work, make(long));
      factor = timeOf(work, make(long)) / timeOf(work, make(long / 16));
    }
    // Linear: 16. Quadratic: 256.
    t.ok(factor < 64, `${before}${part}… : ${factor.toFixed(1)} times`);
  }
});
