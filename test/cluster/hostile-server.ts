import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import t from "tap";
import { openNode, redisAt } from "../support/exchange-nodes.ts";
import { until } from "../support/until.ts";

/** What a server that is no Redis, or is in the wrong hands, answers to each command. */
const answers: readonly (readonly [what: string, answer: () => Buffer])[] = [
  ["no Redis at all", () => Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ["an error", () => Buffer.from("-LOADING Redis is loading\r\n")],
  ["a reply of another type", () => Buffer.from("+PONG\r\n")],
  ["nothing", () => Buffer.from("$-1\r\n")],
  ["lists in lists", () => Buffer.from(`${"*1\r\n".repeat(2000)}$1\r\nx\r\n`)],
  ["a length that lies", () => Buffer.from("$999999999\r\nabc")],
  ["numbers that are none", () => Buffer.from("*2\r\n$1\r\nx\r\n$1\r\ny\r\n")],
  [
    "a stream that is none",
    () => Buffer.from("*1\r\n*2\r\n$1\r\na\r\n*1\r\n*2\r\n$3\r\n9-9\r\n*1\r\n$4\r\nnode\r\n"),
  ],
];

const nothing = (): Buffer => Buffer.alloc(0);

void t.test("a server that answers rubbish: the node goes on alone and tries again", async (t) => {
  let answer = nothing;
  let asked = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", () => {
      asked++;
      socket.write(answer());
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("a TCP server has a port");
  const node = openNode(redisAt(`redis://127.0.0.1:${bound.port}`), "a");
  for (const [what, bytes] of answers) {
    answer = bytes;
    asked = 0;
    node.tell(what);
    await until(() => asked >= 2);
    t.same(node.batches, [], what);
  }
  t.notOk(
    node.log.some((line) => line.includes("thread ended") || line.startsWith("fault")),
    node.log.join("\n"),
  );
  t.same(node.exchange.figures().lost.thread, 0);
  await node.exchange.close();
});
