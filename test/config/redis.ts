import tap from "tap";
import { loadStatic } from "../../src/config/load-static.ts";
import { filesOf, printed } from "./files.ts";

const least = "listen: [udp:127.0.0.1:5060]\npolicy: policy.yaml\n";

function load(redis: string, keyFile = "keyFile: k\n"): ReturnType<typeof loadStatic> {
  return loadStatic(
    filesOf({ "conf/sigwall.yaml": `${least}${keyFile}redis: ${redis}\n` }),
    "conf/sigwall.yaml",
  );
}

void tap.test("redis: where it is", async (t) => {
  const rows: readonly (readonly [written: string, place: object])[] = [
    ["redis://127.0.0.1", { kind: "tcp", host: "127.0.0.1", port: 6379 }],
    ["redis://localhost:7000/", { kind: "tcp", host: "localhost", port: 7000 }],
    ["redis://[::1]:7000/3", { kind: "tcp", host: "::1", port: 7000 }],
    ["rediss://redis.example", { kind: "tcp", host: "redis.example", port: 6379 }],
    ["unix:/run/redis.sock", { kind: "socket", path: "/run/redis.sock" }],
    ["unix:///run/redis.sock", { kind: "socket", path: "/run/redis.sock" }],
  ];
  for (const [written, place] of rows) {
    const { config, issues } = load(`{ url: "${written}" }`);
    t.strictSame(printed(issues), [], written);
    t.strictSame(config?.redis?.place, place, written);
    t.equal(config?.redis?.tls === undefined, !written.startsWith("rediss"), written);
  }
  t.equal(load('{ url: "redis://[::1]:7000/3" }').config?.redis?.database, 3);
  const { config, issues } = load(
    '{ sentinels: [127.0.0.1, "127.0.0.2:7"], master: m, username: u, passwordFile: p, prefix: x, requireSameRevision: true }',
  );
  t.strictSame(printed(issues), []);
  t.strictSame(config?.redis, {
    place: {
      kind: "sentinels",
      sentinels: [
        { host: "127.0.0.1", port: 26_379 },
        { host: "127.0.0.2", port: 7 },
      ],
      master: "m",
    },
    database: 0,
    username: "u",
    passwordFile: "conf/p",
    tls: undefined,
    prefix: "x",
    requireSameRevision: true,
  });
  t.strictSame(load('{ url: "rediss://r.example", tls: { ca: ca.pem } }').config?.redis?.tls, {
    ca: "conf/ca.pem",
    certificate: undefined,
    key: undefined,
  });
  t.equal(loadStatic(filesOf({ "s.yaml": least }), "s.yaml").config?.redis, undefined, "without the key");
});

void tap.test("redis: every mistake has its place, and a way that can be read is warned of", async (t) => {
  const url = "conf/sigwall.yaml:4:10 redis.url: ";
  const rows: readonly (readonly [written: string, issue: string])[] = [
    ["{ url: http://x }", `${url}expected redis://HOST:PORT`],
    ["{ url: 'redis://h:0' }", `${url}expected redis://`],
    ["{ url: 'redis://h:1/x' }", `${url}expected redis://`],
    ["{ url: 'redis://h:1/1?a=b' }", `${url}expected redis://`],
    ["{ url: 'unix:run.sock' }", `${url}expected redis://`],
    [
      "{ url: 'redis://u:secret@h' }",
      `${url}names no user and no password here: write \`username\` and \`passwordFile\``,
    ],
    ["{ url: 'redis://192.0.2.1' }", "warning: the way to this server is not encrypted"],
    [
      "{ sentinels: [192.0.2.1], master: m }",
      "conf/sigwall.yaml:4:10 redis.sentinels: warning: the way to these",
    ],
    ["{ prefix: x }", "redis: needs `url` or `sentinels`"],
    [
      "{ url: 'redis://[::1]', sentinels: [127.0.0.1], master: m }",
      "redis.sentinels: `url` already names the server",
    ],
    ["{ sentinels: [127.0.0.1] }", "redis.sentinels: needs `master`"],
    ["{ url: 'redis://[::1]', master: m }", "redis.master: needs `sentinels`"],
    ["{ url: 'redis://[::1]', username: u }", "redis.username: needs `passwordFile`"],
    ["{ url: 'rediss://[::1]', tls: { key: k } }", "redis.tls: needs `certificate` and `key` together"],
    [
      "{ url: 'redis://[::1]', tls: { ca: c } }",
      "redis.tls: has no effect with `redis://[::1]`: write rediss://",
    ],
    ["{ url: 'redis://[::1]', prefix: 'a b' }", "redis.prefix: a prefix has 1 to 64 letters"],
    ["{ url: 'redis://[::1]', pasword: x }", "redis.pasword"],
  ];
  for (const [written, issue] of rows) t.match(printed(load(written).issues).join("\n"), issue, written);
  t.match(
    printed(load("{ url: 'redis://[::1]' }", "").issues).join("\n"),
    "conf/sigwall.yaml:3:1 redis: needs `keyFile`, the same on each node",
  );
});
