/**
 * The called side of the soak, a process that may be killed at any moment: `node out/bench/soak/called.js ADDRESS PORT`.
 * It answers every INVITE with 100, 180 and 200, repeats the 200 until its ACK, and answers BYE. What its answers say of an
 * INVITE's way (`X-Way`, µs) it has measured on the clock that the caller has too.
 */
import { createSocket, type RemoteInfo } from "node:dgram";
import { nowMicros } from "./clock.ts";
import { field, lines, sentAt } from "./message.ts";

const [address = "127.0.0.1", port = "0"] = process.argv.slice(2);
const socket = createSocket({
  type: "udp4",
  recvBufferSize: 4 << 20,
  lookup: (host, _o, done) => done(null, host, 4),
});

/** Answers that wait for their ACK, by Call-ID: RFC 3261 section 13.3.1.4. */
interface Pending {
  readonly answer: () => void;
  repeats: number;
  next: number;
}
const pending = new Map<string, Pending>();

function reply(request: string, status: string, extra: string, peer: RemoteInfo): void {
  const to = field(request, "To");
  const tag = to.includes("tag=") || status.startsWith("100") ? "" : ";tag=core";
  const text = [
    `SIP/2.0 ${status}\r\n`,
    ...lines(request, "Via"),
    ...lines(request, "Record-Route"),
    `From: ${field(request, "From")}\r\nTo: ${to}${tag}\r\n`,
    `Call-ID: ${field(request, "Call-ID")}\r\nCSeq: ${field(request, "CSeq")}\r\n`,
    `Contact: <sip:core@${address}:${port}>\r\n${extra}X-Sent: ${nowMicros().toFixed(1)}\r\nContent-Length: 0\r\n\r\n`,
  ].join("");
  socket.send(text, peer.port, peer.address);
}

socket.on("message", (bytes, peer) => {
  const arrived = nowMicros();
  const text = bytes.toString("latin1");
  const callId = field(text, "Call-ID");
  if (text.startsWith("INVITE ")) {
    reply(text, "100 Trying", `X-Way: ${(arrived - sentAt(text)).toFixed(1)}\r\n`, peer);
    reply(text, "180 Ringing", "", peer);
    const answer = (): void => reply(text, "200 OK", "", peer);
    answer();
    pending.set(callId, { answer, repeats: 0, next: arrived + 500_000 });
  } else if (text.startsWith("ACK ")) pending.delete(callId);
  else if (text.startsWith("BYE ")) {
    pending.delete(callId);
    reply(text, "200 OK", `X-Way: ${(arrived - sentAt(text)).toFixed(1)}\r\n`, peer);
  } else if (text.startsWith("OPTIONS ")) reply(text, "200 OK", "", peer);
});

setInterval(() => {
  const now = nowMicros();
  for (const [callId, call] of pending) {
    if (call.next > now) continue;
    if (call.repeats === 10) pending.delete(callId);
    else {
      call.answer();
      call.repeats++;
      call.next = now + Math.min(500_000 * 2 ** call.repeats, 4_000_000);
    }
  }
}, 100);
socket.bind(Number(port), address, () => process.stdout.write("ready\n"));
