import t from "tap";
import { findDistrust } from "../../src/app/admin/request-trust.ts";

const names = new Set(["192.0.2.1", "2001:db8::1", "sbc.example.com"]);

interface Row {
  readonly host: string | undefined;
  /** The address that was asked; that of the listener when left out. */
  readonly local?: string;
  readonly origin?: string;
  readonly site?: string;
}

/** Whether the metrics, and a reload, are answered. */
function answers(row: Row, isLoopback: boolean): readonly [metrics: boolean, reload: boolean] {
  const localAddress = row.local ?? (isLoopback ? "127.0.0.1" : "192.0.2.1");
  const by = { host: row.host, origin: row.origin, fetchSite: row.site, localAddress };
  const isAnswered = (isPublic: boolean): boolean =>
    findDistrust(by, { isPublic, isLoopback, names }) === undefined;
  return [isAnswered(true), isAnswered(false)];
}

void t.test("admin address: on loopback every page wants a name of this machine", (t) => {
  const ours = [
    "127.0.0.1",
    "127.0.0.1:9464",
    "127.8.9.10:1",
    "localhost",
    "LocalHost:9464",
    "localhost.",
    "localhost.:9464",
    "[::1]",
    "[::1]:9464",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]:9464",
  ];
  const foreign = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "xlocalhost",
    "localhost..",
    "localhost@evil.example",
    "evil.example@localhost",
    "localhost:80:80",
    "localhost:99999",
    "localhost:http",
    "localhost:",
    "128.0.0.1",
    "[::2]",
    "[::1",
    "[::1]x",
    "[127.0.0.1]",
    "::1]",
    "[::ffff:192.0.2.1]",
    "192.0.2.1",
    "sbc.example.com",
    "0.0.0.0",
    "",
    " ",
    ":9464",
    "localhost, evil.example",
  ];
  for (const host of ours) t.same(answers({ host }, true), [true, true], host);
  for (const host of foreign) t.same(answers({ host }, true), [false, false], `"${host}"`);
  t.same(answers({ host: undefined }, true), [true, false], "HTTP/1.0 without Host may read figures");
  t.end();
});

void t.test("admin address: elsewhere figures are for any Host, and a reload for its own names only", (t) => {
  const ours: readonly Row[] = [
    { host: "192.0.2.1:9464" },
    { host: "[2001:db8:0::1]:9464" },
    { host: "[::ffff:192.0.2.1]" },
    { host: "SBC.example.com" },
    { host: "sbc.example.com.:9464" },
    { host: "198.51.100.7:9464", local: "198.51.100.7" },
    { host: "localhost:9464", local: "127.0.0.1" },
    { host: "[::1]", local: "::1" },
  ];
  const foreign: readonly Row[] = [
    { host: "evil.example" },
    { host: "sbc.example.com.evil.example" },
    { host: "sbc.example.co" },
    { host: "192.0.2.10" },
    { host: "192.0.2.1.evil.example" },
    { host: "198.51.100.7:9464" },
    { host: "localhost:9464" },
    { host: "127.0.0.1" },
    { host: undefined },
  ];
  for (const row of ours) t.same(answers(row, false), [true, true], String(row.host));
  for (const row of foreign) t.same(answers(row, false), [true, false], String(row.host));
  t.end();
});

void t.test("admin address: a page of another site may not set off a reload", (t) => {
  const host = "127.0.0.1:9464";
  const table: readonly (readonly [what: string, row: Row, isAnswered: boolean])[] = [
    ["curl", { host }, true],
    ["a page of its own", { host, origin: `http://${host}`, site: "same-origin" }, true],
    ["a page of its own over TLS", { host, origin: `https://${host}` }, true],
    ["an address that was typed", { host, site: "none" }, true],
    ["another site", { host, origin: "http://evil.example", site: "cross-site" }, false],
    ["another site, by an old browser", { host, origin: "http://evil.example" }, false],
    ["another site, without Origin", { host, site: "cross-site" }, false],
    ["a sandbox", { host, origin: "null" }, false],
    ["another port of this machine", { host, origin: "http://127.0.0.1:8080", site: "same-site" }, false],
    ["another name of this machine", { host, origin: "http://localhost:9464" }, false],
    ["another scheme", { host, origin: `ftp://${host}` }, false],
    ["a longer name", { host, origin: `http://${host}.evil.example` }, false],
    ["a path", { host, origin: `http://${host}/` }, false],
    ["two origins", { host, origin: `http://${host}, http://evil.example` }, false],
    ["an empty Origin", { host, origin: "" }, false],
    ["a word that no browser sends", { host, site: "same-origin, cross-site" }, false],
  ];
  for (const [what, row, isAnswered] of table) {
    t.equal(answers(row, true)[1], isAnswered, what);
    t.equal(answers(row, true)[0], true, `${what}: figures can be read by nobody but the asker`);
  }
  t.end();
});
