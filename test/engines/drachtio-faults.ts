import { createRequire } from "node:module";
import { queryObjects } from "node:v8";
import t from "tap";
import { until } from "../support/until.ts";
import { openPlace } from "./drachtio-place.ts";

const long = (name: string): string => `"${"x".repeat(8000)}" <sip:${name}@127.0.0.1>`;

const unlisted = (invite: string): string => invite.replace("sip:01087654321", "sip:01087654400");

const withBody = (body: string) => (invite: string) =>
  invite.replace(
    "Content-Length: 0\r\n\r\n",
    `Content-Type: multipart/mixed;boundary=b\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );

void t.test("no frame to the server is ever too long, whatever a caller writes", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  const status = await place.call((invite) =>
    invite
      .replace("From: <sip:01087654321@127.0.0.1>", `From: ${long("01087654400")}`)
      .replace("To: <sip:02787654321@127.0.0.1>", `To: ${long("02787654321")}`),
  );
  t.equal(status, "403", "refused, and the answer arrived");
  t.equal(
    await place.call((invite) => invite.replace("INVITE sip:", `INVITE sip:${"0".repeat(300)}`)),
    "414",
    "a target longer than drachtio keeps is none",
  );
  t.ok(Math.max(...place.server.frames.map((frame) => frame.length)) < 1000, "frames are short");
  t.equal(await place.call(), "forwarded");
  await place.close();
});

void t.test("refused calls leave nothing behind in the package", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  for (let i = 0; i < 20; i++) t.equal(await place.call(unlisted), "403");
  const Request: unknown = createRequire(import.meta.url)("drachtio-srf/lib/request.js");
  if (typeof Request !== "function") throw new Error("drachtio-srf has no class of requests");
  const kept = queryObjects(Request, { format: "count" });
  t.ok(kept < 10, `${kept} requests of 20 are kept`);
  await place.close();
});

void t.test("messages that drachtio shows otherwise than they came are refused", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  const isup = [
    "--b",
    "Content-Type: application/ISUP;version=itu-t92+",
    "",
    "\x01\x11\x48\x06\x03",
    "--b--",
    "",
  ].join("\r\n");
  const table: readonly (readonly [string, string, (invite: string) => string])[] = [
    [
      "octets that are no UTF-8 in a header",
      "forwarded",
      (invite) => invite.replace("From: <", 'From: "\xff" <'),
    ],
    ["UTF-8 in a header", "forwarded", (invite) => invite.replace("From: <", 'From: "\xe5\x8c\x97" <')],
    ["ISUP without NUL: readable by accident", "403", withBody(isup)],
    ["ISUP as it is", "400", withBody(isup.replace("\x06", "\x00"))],
    ["a label of ours", "400", (invite) => invite.replace("Contact:", "P-Sigwall-Label: fine\r\nContact:")],
    [
      "a Route of the caller's choice",
      "403",
      (invite) => invite.replace("Contact:", "Route: <sip:192.0.2.66;lr>\r\nContact:"),
    ],
    ["Proxy-Require", "420", (invite) => invite.replace("Contact:", "Proxy-Require: foo, bar\r\nContact:")],
  ];
  for (const [what, expected, change] of table) t.equal(await place.call(change), expected, what);
  await place.close();
});

void t.test(
  "the server's hole: a forged To tag and a Route pass it; the BYE alone is reported",
  async (t) => {
    const place = await openPlace();
    t.equal(await place.changed(), "up");
    const forged = (invite: string): string =>
      invite
        .replace(
          "To: <sip:02787654321@127.0.0.1>",
          "Route: <sip:127.0.0.1;lr>\r\nTo: <sip:02787654321@127.0.0.1>;tag=forged",
        )
        .replace(/^INVITE \S+/, `INVITE sip:1@127.0.0.1:${place.corePort}`);
    t.equal(await place.call(forged), "forwarded", "nobody was asked");
    t.equal(place.decisions.length, 0);
    t.equal(place.counters.unjudgedAttempts, 0, "and nobody told");
    // Nobody answers it.
    place.call((invite) => forged(invite).replaceAll("INVITE", "BYE")).catch(() => undefined);
    await until(() => place.unjudged.length > 0);
    t.match(place.unjudged, [/^release call-\w+-\d+$/]);
    t.equal(place.counters.unjudgedReleases, 1);
    await place.close();
  },
);

void t.test("keep-alives are answered; other requests are refused for what they are", async (t) => {
  const place = await openPlace();
  t.equal(await place.changed(), "up");
  for (const [method, expected] of [
    ["OPTIONS", "200"],
    ["MESSAGE", "405"],
    ["REGISTER", "405"],
    ["SUBSCRIBE", "405"],
  ] as const)
    t.equal(await place.call((invite) => invite.replaceAll("INVITE", method)), expected, method);
  await place.close();
});
