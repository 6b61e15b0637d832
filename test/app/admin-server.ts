import { once } from "node:events";
import { connect, type Socket } from "node:net";
import t from "tap";
import { PLAIN_ACCESS } from "../../src/app/admin/admin-messages.ts";
import { until } from "../support/until.ts";
import {
  type AdminServer,
  type AdminServerParts,
  openAdminServer,
} from "../../src/app/admin/admin-server.ts";
import type { Reply } from "../../src/app/admin/reply.ts";

function open(
  reload: AdminServerParts["reload"] = (): Promise<Reply> => Promise.resolve({ status: 200, body: "{}\n" }),
): Promise<AdminServer> {
  return openAdminServer({
    endpoint: { address: "127.0.0.1", port: 0 },
    access: { ...PLAIN_ACCESS, more: [{ address: "::1", port: 0 }] },
    metrics: () => Promise.resolve({ status: 200, body: "figures\n" }),
    health: () => ({ status: 200, body: "alive\n" }),
    readiness: () => ({ status: 200, body: "ready\n" }),
    reload,
    fault: (error) => t.fail(String(error)),
  });
}

/** Opens a connection and sends what begins a request and never ends it. */
async function holdOpen(port: number, begun: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  if (begun !== "") socket.write(begun);
  return socket;
}

void t.test("admin server: requests that are never finished keep nobody out", async (t) => {
  const server = await open();
  const { port } = server.endpoint;
  for (const [what, begun] of [
    ["half a head", "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n"],
    ["no octet", ""],
    ["a body that does not come", "POST /reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n"],
  ] as const) {
    const held = await Promise.all(Array.from({ length: 150 }, () => holdOpen(port, begun)));
    for (let count = 0; count < 5; count++)
      t.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200, what);
    for (const socket of held) socket.destroy();
  }
  const late = await holdOpen(port, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  const begun = performance.now();
  late.resume();
  await once(late, "close");
  const took = performance.now() - begun;
  t.ok(took > 1500 && took < 60_000, `a head that does not end is given up after ${took.toFixed(0)} ms`);
  await new Promise<void>(server.close);
});

void t.test("admin server: a request that is not whole sets nothing off, and gives way", async (t) => {
  let reloads = 0;
  const server = await open(() => {
    reloads++;
    return new Promise(() => undefined);
  });
  const { port } = server.endpoint;
  const half = "POST /reload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n";
  const held = await Promise.all(Array.from({ length: 64 }, () => holdOpen(port, half)));
  // All come before either is answered: the one that asks is the youngest, and may not be the one that is closed.
  const asked = fetch(`http://127.0.0.1:${port}/readyz`);
  const more = await Promise.all(Array.from({ length: 32 }, () => holdOpen(port, half)));
  t.equal((await asked).status, 200);
  t.equal(reloads, 0);
  more.at(-1)?.write("123456789");
  await until(() => reloads === 1);
  for (const socket of [...held, ...more]) socket.destroy();
  await new Promise<void>(server.close);
});

void t.test("admin server: what a request is refused with", async (t) => {
  const server = await open();
  const ask = async (text: string): Promise<string> => {
    const socket = connect(server.endpoint.port, "127.0.0.1");
    socket.end(text);
    let answer = "";
    for await (const bytes of socket) answer += String(bytes);
    return answer.split("\r\n")[0] ?? "";
  };
  const table: readonly (readonly [request: string, answer: string])[] = [
    ["GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "200 OK"],
    ["GET /metrics HTTP/1.0\r\n\r\n", "200 OK"],
    ["GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403 Forbidden"],
    ["HEAD /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403 Forbidden"],
    ["GET /nowhere HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403 Forbidden"],
    ["GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", "404 Not Found"],
    ["GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", "400 Bad Request"],
    ["GET /metrics HTTP/1.1\r\n\r\n", "400 Bad Request"],
    ["POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", "200 OK"],
    ["POST /reload HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n", "403 Forbidden"],
    [
      "POST /reload HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\nContent-Length: 0\r\n\r\n",
      "403 Forbidden",
    ],
    [
      "POST /reload HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n",
      "403 Forbidden",
    ],
  ];
  for (const [request, answer] of table)
    t.equal(
      await ask(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")),
      `HTTP/1.1 ${answer}`,
      request,
    );
  await new Promise<void>(server.close);
});

void t.test("admin server: the bound of a reload is understood, or nothing is reloaded", async (t) => {
  const asked: (number | undefined)[] = [];
  const server = await open(({ maxChanges }) => {
    asked.push(maxChanges);
    return Promise.resolve({ status: 200, body: "{}\n" });
  });
  const rows: readonly (readonly [query: string, status: number])[] = [
    ["", 200],
    ["?maxChanges=0", 200],
    ["?maxChanges=25", 200],
    ["?", 200],
    ["?maxChanges=", 400],
    ["?maxChanges=-1", 400],
    ["?maxChanges=1e3", 400],
    ["?maxchanges=5", 400],
    ["?maxChanges=5&maxChanges=6", 400],
    ["?x=1", 400],
  ];
  for (const [query, status] of rows) {
    const url = `http://127.0.0.1:${server.endpoint.port}/reload${query}`;
    t.equal((await fetch(url, { method: "POST" })).status, status, query);
  }
  t.same(asked, [undefined, 0, 25, undefined]);
  await new Promise<void>(server.close);
});
