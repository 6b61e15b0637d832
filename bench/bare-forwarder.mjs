// The least a Node process can do on a kind of socket and still carry the load: one lookup, bytes passed on as they came.
// It adds no Via, keeps no dialog and proves nothing: a floor for the socket, not a filter.
// usage: node bare-forwarder.mjs LISTEN_ADDRESS:PORT CORE_ADDRESS:PORT NUMBERS_FILE dgram|batched
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";

const [listen = "", core = "", numbersFile = "", sockets = "dgram"] = process.argv.slice(2);
const [listenAddress, listenPort] = listen.split(":");
const [coreAddress, corePort] = core.split(":");
const corePortNumber = Number(corePort);
const listed = new Set(readFileSync(numbersFile, "utf8").split("\n"));

async function openDgram() {
  const socket = createSocket({
    type: "udp4",
    recvBufferSize: 4_194_304,
    // Literals only, so the answer is known at once: dns.lookup would cost a tick and 5 µs per datagram.
    lookup: (host, _options, answer) => answer(null, host, 4),
  });
  socket.on("message", (bytes, remote) => forward(bytes, remote.address, remote.port));
  await new Promise((bound) => socket.bind(Number(listenPort), listenAddress, bound));
  return (bytes, length, address, port) => socket.send(bytes, 0, length, port, address);
}

/** The filter's own, as built. */
async function openBatched() {
  const { chooseDatagramSockets } = await import("../dist/wire/udp/datagram-sockets.js");
  const { kind, missing, open } = await chooseDatagramSockets("batched");
  if (kind !== "batched") throw new Error(missing);
  const handlers = { datagram: forward, dropped() {}, error: console.error };
  return (await open(listenAddress, Number(listenPort), handlers)).send;
}

const send = await (sockets === "batched" ? openBatched() : openDgram());
process.stdout.write("listening\n");

function forward(bytes, address, port) {
  const text = bytes.latin1Slice(0, bytes.length);
  if (port === corePortNumber && address === coreAddress) return answerCaller(bytes, text);
  if (text.startsWith("INVITE ")) {
    const caller = text.indexOf("<sip:", text.indexOf("\r\nFrom: ")) + 5;
    if (!listed.has(text.slice(caller, text.indexOf("@", caller)))) return refuse(text, address, port);
  } else if (text.startsWith("ACK ") && text.includes(";tag=bare")) return;
  send(bytes, bytes.length, coreAddress, corePortNumber);
}

function answerCaller(bytes, text) {
  const sentBy = text.indexOf("/UDP ") + 5;
  const colon = text.indexOf(":", sentBy);
  send(bytes, bytes.length, text.slice(sentBy, colon), Number.parseInt(text.slice(colon + 1), 10));
}

function refuse(text, address, port) {
  const to = headerLine(text, "To");
  const head = `SIP/2.0 403 Forbidden\r\n${headerLine(text, "Via")}\r\n${headerLine(text, "From")}\r\n${to};tag=bare\r\n`;
  const reply = Buffer.from(
    `${head}${headerLine(text, "Call-ID")}\r\n${headerLine(text, "CSeq")}\r\nContent-Length: 0\r\n\r\n`,
    "latin1",
  );
  send(reply, reply.length, address, port);
}

function headerLine(text, name) {
  const start = text.indexOf(`\r\n${name}: `) + 2;
  return text.slice(start, text.indexOf("\r\n", start));
}
