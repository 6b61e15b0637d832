// Reads the tags in front of an exported PDU, as Wireshark writes single messages of any protocol.
import { beginAddresses, copyAddress } from "./told-addresses.ts";
import type { IpPacket } from "./ip.ts";

/** The protocols of exported PDUs that may lead to a call. */
export type PduProtocol =
  | "sip"
  | "mtp2"
  | "mtp3"
  | "m3ua"
  | "m2ua"
  | "m2pa"
  | "isup"
  | "bicc"
  | "sctp"
  | "udp"
  | "tcp"
  | "ip"
  | "ethernet"
  | "hep";

/** What the tags of an exported PDU say. The object is reused. */
export interface ExportedPdu {
  /** Undefined: a protocol that carries no calls. */
  protocol: PduProtocol | undefined;
  /** The message is `buffer[start, end)` of the packet that it was read from. */
  start: number;
  sourcePort: number;
  destinationPort: number;
  /** The point codes; -1 when no tag says them. */
  opc: number;
  dpc: number;
}

/** Makes an empty PDU to be filled. */
export function createExportedPdu(): ExportedPdu {
  return { protocol: undefined, start: 0, sourcePort: 0, destinationPort: 0, opc: -1, dpc: -1 };
}

// Tags (wsutil/exported_pdu_tlvs.h of Wireshark).
const END = 0;
const DISSECTOR = 12;
const HEURISTIC = 13;
const TABLE = 14;
const IPV4_SOURCE = 20;
const IPV4_DESTINATION = 21;
const IPV6_SOURCE = 22;
const IPV6_DESTINATION = 23;
const PORT_TYPE = 24;
const SOURCE_PORT = 25;
const DESTINATION_PORT = 26;
const OPC = 28;
const DPC = 29;
const TABLE_VALUE = 32;
/** At most this many tags. */
const MAX_TAGS = 64;
/** At most this many octets of a name. */
const MAX_NAME = 64;

/** Protocol numbers of IP by the port type of an exported PDU. */
const transports: ReadonlyMap<number, number> = new Map([
  [1, 132],
  [2, 6],
  [3, 17],
]);

/** Protocols by the names of dissectors, by those of heuristic dissectors, and by entries of dissector tables. */
const names: ReadonlyMap<string, PduProtocol> = new Map([
  ["sip", "sip"],
  ["sip.tcp", "sip"],
  ["sip_tcp", "sip"],
  ["sip_udp", "sip"],
  ["sip_sctp", "sip"],
  ["sip_stcp", "sip"],
  ["mtp2", "mtp2"],
  ["mtp3", "mtp3"],
  ["m3ua", "m3ua"],
  ["m2ua", "m2ua"],
  ["m2pa", "m2pa"],
  ["isup", "isup"],
  ["bicc", "bicc"],
  ["sctp", "sctp"],
  ["udp", "udp"],
  ["tcp", "tcp"],
  ["ip", "ip"],
  ["ipv4", "ip"],
  ["ipv6", "ip"],
  ["eth", "ethernet"],
  ["eth_withoutfcs", "ethernet"],
  ["eth_maybefcs", "ethernet"],
  ["eth_withfcs", "ethernet"],
  ["hep", "hep"],
  ["mtp3.service_indicator 5", "isup"],
  ["mtp3.service_indicator 13", "bicc"],
  ["sctp.ppi 2", "m2ua"],
  ["sctp.ppi 3", "m3ua"],
  ["sctp.ppi 5", "m2pa"],
  ["sctp.port 2904", "m2ua"],
  ["sctp.port 2905", "m3ua"],
  ["sctp.port 3565", "m2pa"],
  ["sctp.port 5060", "sip"],
  ["udp.port 5060", "sip"],
  ["tcp.port 5060", "sip"],
  ["ip.proto 6", "tcp"],
  ["ip.proto 17", "udp"],
  ["ip.proto 132", "sctp"],
  ["ethertype 2048", "ip"],
  ["ethertype 34525", "ip"],
]);

/** Reads a name, which may end in zeros. */
function readName(buffer: Buffer, start: number, end: number): string {
  let last = Math.min(end, start + MAX_NAME);
  while (last > start && buffer[last - 1] === 0) last -= 1;
  return buffer.toString("latin1", start, last);
}

/**
 * Reads the tags of the packet `buffer[start, end)`. Values are big-endian.
 *
 * @param pdu is filled
 * @param packet gets the addresses and the transport protocol; its addresses are written into `room`
 * @param room 32 octets for two addresses
 * @returns false when the tags have no end
 */
export function readExportedPdu(
  pdu: ExportedPdu,
  packet: IpPacket,
  room: Buffer,
  buffer: Buffer,
  start: number,
  end: number,
): boolean {
  pdu.protocol = undefined;
  pdu.sourcePort = 0;
  pdu.destinationPort = 0;
  pdu.opc = -1;
  pdu.dpc = -1;
  beginAddresses(packet, room);
  let table = "";
  let at = start;
  for (let tags = 0; tags < MAX_TAGS && at + 4 <= end; tags += 1) {
    const tag = buffer.readUInt16BE(at);
    const length = buffer.readUInt16BE(at + 2);
    const value = at + 4;
    at = value + length;
    if (at > end) return false;
    switch (tag) {
      case END:
        pdu.start = at;
        return true;
      case DISSECTOR:
      case HEURISTIC:
        pdu.protocol ??= names.get(readName(buffer, value, at));
        break;
      case TABLE:
        table = readName(buffer, value, at);
        break;
      case IPV4_SOURCE:
      case IPV4_DESTINATION:
        if (length === 4) copyAddress(packet, buffer, value, 4, tag === IPV4_DESTINATION);
        break;
      case IPV6_SOURCE:
      case IPV6_DESTINATION:
        if (length === 16) copyAddress(packet, buffer, value, 16, tag === IPV6_DESTINATION);
        break;
      default:
        if (length >= 4) readNumber(pdu, packet, table, tag, buffer.readUInt32BE(value));
    }
  }
  return false;
}

function readNumber(pdu: ExportedPdu, packet: IpPacket, table: string, tag: number, value: number): void {
  switch (tag) {
    case PORT_TYPE:
      packet.protocol = transports.get(value) ?? -1;
      break;
    case SOURCE_PORT:
      pdu.sourcePort = value & 0xffff;
      break;
    case DESTINATION_PORT:
      pdu.destinationPort = value & 0xffff;
      break;
    case OPC:
      pdu.opc = value;
      break;
    case DPC:
      pdu.dpc = value;
      break;
    case TABLE_VALUE:
      pdu.protocol ??= names.get(`${table} ${value}`);
      break;
    default:
  }
}
