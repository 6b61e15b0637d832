/** Sends an OPTIONS every millisecond from the port of the core, and writes how long each answer took, until it is told to end. */
import { createSocket } from "node:dgram";
import { performance } from "node:perf_hooks";

const [ownPort = "", port = ""] = process.argv.slice(2);
const socket = createSocket("udp4");
const sent = new Map<string, number>();
const waits: number[] = [];
let next = 0;

socket.on("message", (message) => {
  const id = /\r\nCall-ID: (\d+)\r\n/i.exec(message.toString("latin1"))?.[1] ?? "";
  const at = sent.get(id);
  if (at === undefined) return;
  sent.delete(id);
  waits.push(performance.now() - at);
});

function ask(): void {
  const id = String(next++);
  const place = `127.0.0.1:${ownPort}`;
  const message = [
    `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP ${place};branch=z9hG4bK-lists-${id}`,
    "Max-Forwards: 70",
    `From: <sip:probe@${place}>;tag=${id}`,
    `To: <sip:127.0.0.1:${port}>`,
    `Call-ID: ${id}`,
    "CSeq: 1 OPTIONS",
    "Content-Length: 0",
    "\r\n",
  ].join("\r\n");
  sent.set(id, performance.now());
  socket.send(message, Number(port), "127.0.0.1");
}

/** Says what was measured since the last time, in milliseconds. Whoever is not answered yet has waited until now. */
process.on("message", (order: string) => {
  if (order === "end") process.exit(0);
  const now = performance.now();
  const open = [...sent.values()].map((at) => now - at);
  const sorted = waits.splice(0).toSorted((a, b) => a - b);
  process.send?.({
    count: sorted.length,
    unanswered: open.length,
    median: sorted[sorted.length >> 1] ?? Number.NaN,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN,
    longest: Math.max(...open, sorted.at(-1) ?? Number.NaN),
  });
});

socket.bind(Number(ownPort), "127.0.0.1", () => {
  process.send?.("ready");
  // A timer of Node is late by up to a millisecond: whatever is due is sent.
  let due = performance.now();
  setInterval(() => {
    for (; due <= performance.now(); due += 1) ask();
  }, 1);
});
