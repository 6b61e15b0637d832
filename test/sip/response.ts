// The reason phrases of responses: that of the status, or that of its class.
import t from "tap";
import { reasonPhrase } from "../../src/sip/response.ts";

void t.test("a status without a phrase of its own gets that of its class (RFC 3261 section 21)", (t) => {
  const rows: readonly (readonly [first: number, last: number, phrase: string])[] = [
    [100, 199, "Provisional"],
    [201, 299, "Successful"],
    [300, 301, "Redirection"],
    [303, 399, "Redirection"],
    [434, 479, "Request Failure"],
    [484, 488, "Request Failure"],
    [490, 499, "Request Failure"],
    [506, 512, "Server Failure"],
    [514, 599, "Server Failure"],
    [600, 602, "Global Failure"],
    [609, 699, "Global Failure"],
  ];
  for (const [first, last, phrase] of rows)
    for (let status = first; status <= last; status++) t.equal(reasonPhrase(status), phrase, String(status));
  t.end();
});

void t.test("a status with a phrase keeps it", (t) => {
  for (const [status, phrase] of [
    [200, "OK"],
    [302, "Moved Temporarily"],
    [403, "Forbidden"],
    [503, "Service Unavailable"],
    [603, "Decline"],
  ] as const)
    t.equal(reasonPhrase(status), phrase);
  t.end();
});

void t.test("what is no status has no phrase", (t) => {
  for (const status of [-1, 0, 99, 700, 999]) t.equal(reasonPhrase(status), "", String(status));
  t.end();
});
