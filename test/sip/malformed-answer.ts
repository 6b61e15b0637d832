import { Buffer } from "node:buffer";
import t from "tap";
import { createMessage } from "../../src/sip/message.ts";
import { formatResponse } from "../../src/sip/response.ts";
import { scan } from "../../src/sip/scan.ts";

/** The first line of an answer to a request whose fault is `fault`. */
function firstLine(fault: string | undefined, status: number): string {
  const message = scan(createMessage(), Buffer.from("OPTIONS sip:x SIP/2.0\r\n\r\n"));
  message.fault = fault;
  return formatResponse(message, status, "SIP/2.0/UDP 192.0.2.1", "t", "").split("\r\n")[0] ?? "";
}

void t.test(
  "a 400 says what is wrong, in characters that a reason phrase may hold (RFC 3261 section 25.1)",
  (t) => {
    const table: readonly (readonly [fault: string | undefined, status: number, line: string])[] = [
      [undefined, 400, "SIP/2.0 400 Bad Request"],
      ["Call-ID is missing", 400, "SIP/2.0 400 Bad Request (Call-ID is missing)"],
      ["Call-ID is missing", 403, "SIP/2.0 403 Forbidden"],
      ["Call-ID is missing", 505, "SIP/2.0 505 Version Not Supported"],
      ["from: < without >", 400, "SIP/2.0 400 Bad Request (from: %3C without %3E)"],
      ['to: " [ ]', 400, "SIP/2.0 400 Bad Request (to: %22 %5B %5D)"],
      ["line\r\nbreak", 400, "SIP/2.0 400 Bad Request (line%0D%0Abreak)"],
      ["x".repeat(300), 400, `SIP/2.0 400 Bad Request (${"x".repeat(100)})`],
    ];
    for (const [fault, status, line] of table) t.equal(firstLine(fault, status), line);
    t.end();
  },
);
