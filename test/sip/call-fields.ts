// Reason and Session-Expires, with near misses.
import { Buffer } from "node:buffer";
import t from "tap";
import { readCause } from "../../src/sip/fields/reason.ts";
import { readSessionSeconds } from "../../src/sip/fields/session-expires.ts";
import { createMessage } from "../../src/sip/message.ts";
import { scan } from "../../src/sip/scan.ts";

void t.test("Reason: the cause of Q.850 (RFC 3326 section 2)", (t) => {
  const rows: readonly (readonly [value: string, cause: number | undefined])[] = [
    ["Q.850;cause=16", 16],
    ['Q.850 ;cause=16 ;text="Terminated"', 16],
    ["q.850; cause=1", 1],
    ["Q.850;text=x;cause=127", 127],
    ["Q.850;CAUSE=31", 31],
    ["Q.850;cause=016", 16],
    ["Q.850;cause=16, SIP;cause=200", 16],
    // Near misses.
    ["SIP;cause=16", undefined],
    ["Q.8500;cause=16", undefined],
    ["Q.85;cause=16", undefined],
    ["X-Q.850;cause=16", undefined],
    ["Q.850", undefined],
    ["Q.850 cause=16", undefined],
    ["Q.850;text=x, SIP;cause=16", undefined],
    ["Q.850;acause=16", undefined],
    ["Q.850;cause", undefined],
    ["Q.850;cause=", undefined],
    ["Q.850;cause=0", undefined],
    ["Q.850;cause=128", undefined],
    ["Q.850;cause=0016", undefined],
    ["Q.850;cause=1e1", undefined],
    ["Q.850;cause=-1", undefined],
    ["Q.850;cause=１６", undefined],
    [";cause=16", undefined],
    ["", undefined],
  ];
  for (const [value, cause] of rows) t.equal(readCause(value), cause, value);
  t.equal(readCause("SIP;cause=200, Q.850;cause=16"), undefined, "only the first value of a field is read");
  t.end();
});

void t.test("Session-Expires: its delta-seconds (RFC 4028 section 4)", (t) => {
  const rows: readonly (readonly [line: string, seconds: number])[] = [
    ["Session-Expires: 1800", 1800],
    ["Session-Expires: 1800;refresher=uac", 1800],
    ["Session-Expires:90 ; refresher=uas", 90],
    ["x: 3600", 3600],
    ["session-expires: 090", 90],
    ["Session-Expires: 999999", 999_999],
    // Near misses.
    ["Session-Expires: 1000000", 0],
    ["Session-Expires: 0", 0],
    ["Session-Expires: -90", 0],
    ["Session-Expires: +90", 0],
    ["Session-Expires: ;refresher=uac", 0],
    ["Session-Expires: refresher=uac", 0],
    ["Session-Expires:", 0],
    ["Min-SE: 90", 0],
    ["Session-Expiry: 90", 0],
    ["Expires: 90", 0],
  ];
  for (const [line, seconds] of rows) {
    const text = `SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n${line}\r\nContent-Length: 0\r\n\r\n`;
    t.equal(readSessionSeconds(scan(createMessage(), Buffer.from(text, "latin1"))), seconds, line);
  }
  t.end();
});
