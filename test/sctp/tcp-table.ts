import { createServer, connect } from "node:net";
import { existsSync, readFileSync } from "node:fs";
import { once } from "node:events";
import t from "tap";
import { findConnection, type TcpState } from "../../src/wire/sctp/tcp-table.ts";

const head =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n";
const listening =
  "   0: 0100007F:0B59 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 17001 1 0000000000000000 100 0 0 10 0\n";
/** 192.0.2.1:2905 to 203.0.113.10:40000. */
const row = (rest: string): string =>
  `${head}${listening}   1: 010200C0:0B59 0A7100CB:9C40 ${rest} 1 0000000000000000 20 4 30 10 -1\n`;
const local = { address: "192.0.2.1", port: 2905 };
const remote = { address: "203.0.113.10", port: 40_000 };

void t.test("what the kernel says of the far end of a TCP connection", (t) => {
  const rows: readonly (readonly [what: string, table: string, state: TcpState])[] = [
    [
      "everything is acknowledged",
      row("01 00000000:00000000 02:000004D2 00000000     0        0 17002"),
      "answers",
    ],
    ["sent just now", row("01 00000018:00000000 01:00000014 00000000     0        0 17002"), "answers"],
    [
      "sent again three times, without an acknowledgement",
      row("01 00000018:00000000 01:00000050 00000003     0        0 17002"),
      "silent",
    ],
    [
      "no room at the peer, which says so",
      row("01 00010000:00000000 04:00000050 00000000     0        0 17002"),
      "answers",
    ],
    [
      "no room at the peer, which no longer says anything",
      row("01 00010000:00000000 04:00000050 00000000     0        4 17002"),
      "silent",
    ],
    ["the peer has closed", row("08 00000000:00000012 00:00000000 00000000     0        0 17002"), "gone"],
    ["this end has closed", row("05 00000000:00000000 00:00000000 00000000     0        0 17002"), "gone"],
    ["not in the table", `${head}${listening}`, "gone"],
    ["a table cut short", row("01 00000000:00000000 02:").slice(0, head.length + 60), "gone"],
    ["no table", "", "gone"],
  ];
  for (const [what, table, state] of rows) t.equal(findConnection(table, local, remote), state, what);
  t.equal(
    findConnection(row("01 00000000:00000000 00:00000000 00000000     0        0 1"), local, {
      ...remote,
      port: 40_001,
    }),
    "gone",
    "another port is another connection",
  );
  t.end();
});

void t.test("IPv6 addresses are words in the octet order of the host", (t) => {
  const table = `${head}   0: B80D0120000000000000000001000000:0B59 B80D0120000000000000000002000000:9C40 01 00000000:00000000 00:00000000 00000000 0 0 1\n`;
  const ends = [
    { address: "2001:db8::1", port: 2905 },
    { address: "2001:db8::2", port: 40_000 },
  ] as const;
  t.equal(findConnection(table, ...ends), "answers");
  t.equal(findConnection(table, ends[1], ends[0]), "gone", "the other way round is another connection");
  t.end();
});

const read = (): string => readFileSync("/proc/net/tcp", "latin1");

void t.test("the table of this kernel", async (t) => {
  if (!existsSync("/proc/net/tcp")) {
    t.pass("kernel", { skip: "no /proc/net/tcp here" });
    return;
  }
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  const socket = connect(port, "127.0.0.1");
  const [accepted] = await Promise.all([once(server, "connection"), once(socket, "connect")]);
  t.ok(accepted);
  const own = { address: "127.0.0.1", port: socket.localPort ?? 0 };
  const there = { address: "127.0.0.1", port };
  t.equal(findConnection(read(), own, there), "answers");
  t.equal(findConnection(read(), there, own), "answers", "its other end");
  socket.destroy();
  await once(socket, "close");
  t.equal(findConnection(read(), own, there), "gone");
  server.close();
  for (const end of accepted) end.destroy();
});
