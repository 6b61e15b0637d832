import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import { createBatchedSockets } from "../../src/wire/udp/batched-udp.ts";
import { loadKernelSockets } from "../../src/wire/udp/kernel-sockets.ts";
import { EAGAIN, EINTR } from "../../src/wire/kernel/system-calls.ts";
import { until } from "../support/until.ts";

/** As many as may wait. */
const most = 1024;

const sockets = await loadKernelSockets();

if (typeof sockets === "string") {
  t.pass("batched sockets", { skip: `a kernel without room is left out: ${sockets}` });
} else {
  void t.test("batched sockets: a kernel that takes no more, then little by little", async (t) => {
    // Loopback never fills: the real calls, told when to refuse.
    let isFull = true;
    let calls = 0;
    const open = createBatchedSockets({
      ...sockets,
      send(fd, headers, count) {
        if (isFull) return -EAGAIN;
        calls++;
        if (calls % 3 === 0) return -EINTR;
        return calls % 50 === 0 ? -EAGAIN : sockets.send(fd, headers, Math.min(count, 7));
      },
    });
    const peer = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
    peer.bind(0, "127.0.0.1");
    await once(peer, "listening");
    const received: number[] = [];
    peer.on("message", (bytes) => received.push(bytes.readUInt32BE(0)));
    const drops: string[] = [];
    const errors: Error[] = [];
    const port = await open("127.0.0.1", 0, {
      datagram: () => undefined,
      dropped: (direction) => drops.push(direction),
      error: (error) => errors.push(error),
    });
    const send = (number: number): void => {
      const bytes = Buffer.alloc(600);
      bytes.writeUInt32BE(number);
      t.equal(port.send(bytes, bytes.length, "127.0.0.1", peer.address().port), true, "the buffer is free");
    };

    for (let number = 0; number < most + 10; number++) send(number);
    await nextTurn();
    t.equal(drops.length, 10, "those beyond the queue are lost and counted");
    t.same(received, []);
    isFull = false;
    await until(() => received.length >= most);
    send(5000);
    await until(() => received.length > most);
    t.same(
      received,
      [...Array.from({ length: most }, (_, number) => number), 5000],
      "the others keep their order",
    );
    t.same(errors, []);

    isFull = true;
    const large = Buffer.alloc(65_000);
    for (let count = 0; count < 17; count++) port.send(large, large.length, "127.0.0.1", peer.address().port);
    t.equal(drops.length, 11, "bytes are bounded too: 16 of the largest in one MiB");
    // With datagrams waiting it can be closed all the same.
    await port.close();
    peer.close();
  });
}
