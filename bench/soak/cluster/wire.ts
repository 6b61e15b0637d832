/** UDP between the peers of the soak and two nodes that bear one name. */
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";

/** What a name server says of the name that the nodes show. */
export interface NodePlaces {
  /** The name that stands in Via and Record-Route of both. */
  readonly name: string;
  readonly port: number;
  readonly addresses: readonly string[];
}

/** Asks a name server as RFC 3263 section 4.2 says: SRV for UDP, then the addresses. One port for all. */
export async function findNodes(name: string, server: string): Promise<NodePlaces> {
  const resolver = new Resolver();
  resolver.setServers([server]);
  const records = await resolver.resolveSrv(`_sip._udp.${name}`);
  const addresses = await Promise.all(records.map((record) => resolver.resolve4(record.name)));
  return { name, port: records[0]?.port ?? 5060, addresses: addresses.flat().toSorted() };
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
