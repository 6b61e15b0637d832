/** UDP between the peers of the soak and two nodes that bear one name. */
import { createSocket } from "node:dgram";

/** What a name server says of the name that the nodes show. */
export interface NodePlaces {
  /** HOST:PORT that stands in Via and Record-Route of both. */
  readonly name: string;
  readonly port: number;
  readonly addresses: readonly string[];
}

/** Sendings to one node before a peer turns to the next one: 1.5 s of silence. */
const TRIES = 2;

/** The node for a message that was sent so often before. */
export function nodeAfter({ addresses }: NodePlaces, first: number, before: number): number {
  return (first + Math.floor(before / TRIES)) % addresses.length;
}

export interface UdpWire {
  readonly port: number;
  send(node: number, text: string): void;
  close(): void;
}

/** @param hear told the number of the node that a message came from */
export async function openUdp(
  address: string,
  port: number,
  nodes: NodePlaces,
  hear: (text: string, from: number) => void,
): Promise<UdpWire> {
  const socket = createSocket({
    type: "udp4",
    recvBufferSize: 4 << 20,
    // Its look-up answers at once, so that nothing is sent a turn later.
    lookup: (host, _options, done) => done(null, host, 4),
  });
  await new Promise<void>((bound) => socket.bind(port, address, bound));
  socket.on("message", (bytes, peer) => {
    const from = nodes.addresses.indexOf(peer.address);
    if (from >= 0) hear(bytes.toString("latin1"), from);
  });
  return {
    port: socket.address().port,
    send: (node, text) => socket.send(text, nodes.port, nodes.addresses[node]),
    close: () => void socket.close(),
  };
}
