// Says in words which packets of a capture were not read: by link type, EtherType, protocol or port, and how many.
import { Unread } from "../../pcap/links/unread.ts";
import type { UnreadCount } from "../../pcap/unread-counts.ts";

/** At most this many reasons are named; the others are one sum. */
const MOST_NAMED = 5;

/** EtherTypes that carry no calls, by their names. Captures of any network have them. */
const usualEtherTypes: ReadonlyMap<number, string> = new Map([
  [0x0806, "ARP"],
  [0x8035, "RARP"],
  [0x8809, "LACP"],
  [0x8863, "PPPoE discovery"],
  [0x888e, "EAPOL"],
  [0x88cc, "LLDP"],
  [0x88f7, "PTP"],
  [0x8902, "CFM"],
  [0x9000, "loopback test"],
]);
/** The same for protocols of IP. */
const usualProtocols: ReadonlyMap<number, string> = new Map([
  [1, "ICMP"],
  [2, "IGMP"],
  [58, "ICMPv6"],
  [59, "no next header"],
  [88, "EIGRP"],
  [89, "OSPF"],
  [103, "PIM"],
  [112, "VRRP"],
]);
const ESP = 50;
/** The service access point of spanning tree. */
const SPANNING_TREE = 0x42;
/** Protocols of PPP from here on negotiate the link. */
const PPP_CONTROL = 0x8000;

function hex(value: number): string {
  return `0x${value.toString(16).padStart(4, "0")}`;
}

function named(text: string, name: string | undefined): string {
  return name === undefined ? text : `${text} (${name})`;
}

/** Names what stood where the reading ended: `EtherType 0x88b5`, `UDP port 4500`. */
function nameOf({ kind, value }: UnreadCount): string {
  switch (kind) {
    case Unread.nested:
      return "more layers than are followed";
    case Unread.linkType:
      return `link type ${value}`;
    case Unread.etherType:
      return named(`EtherType ${hex(value)}`, usualEtherTypes.get(value));
    case Unread.llc:
      return named(`IEEE 802.2 SAP ${hex(value)}`, value === SPANNING_TREE ? "spanning tree" : undefined);
    case Unread.snap:
      return `SNAP protocol ${hex(value)}`;
    case Unread.pppProtocol:
      return `PPP protocol ${hex(value)}`;
    case Unread.nlpid:
      return `NLPID ${hex(value)}`;
    case Unread.family:
      return `address family ${value}`;
    case Unread.ipProtocol:
      return named(`IP protocol ${value}`, value === ESP ? "ESP, encrypted" : usualProtocols.get(value));
    case Unread.greProtocol:
      return `GRE protocol ${hex(value)}`;
    case Unread.udpPort:
      return `UDP port ${value}`;
    case Unread.tcpPort:
      return `TCP port ${value}`;
    case Unread.sctpPort:
      return `SCTP port ${value}`;
    case Unread.tlsPort:
      return `TCP port ${value} (TLS, encrypted)`;
    case Unread.protectedWlan:
      return "IEEE 802.11 (encrypted)";
    case Unread.otherWlan:
      return "IEEE 802.11 without data, or in fragments";
    case Unread.macsec:
      return `EtherType ${hex(0x88e5)} (MACsec, encrypted)`;
    case Unread.mplsPayload:
      return "MPLS with neither IP nor Ethernet in it";
    case Unread.exportedPdu:
      return "exported PDUs of other protocols";
    case Unread.otherSs7:
      return "SS7 other than ISUP and BICC";
    case Unread.hep:
      return `HEP protocol type ${value}`;
    default:
      return "no whole layer";
  }
}

/** Tells reasons that say nothing about calls as long as other packets of the capture have some: ports, ARP, ICMP and such. */
function isUsual({ kind, value }: UnreadCount): boolean {
  switch (kind) {
    case Unread.etherType:
      return usualEtherTypes.has(value);
    case Unread.ipProtocol:
      return usualProtocols.has(value);
    case Unread.llc:
      return value === SPANNING_TREE;
    case Unread.pppProtocol:
      return value >= PPP_CONTROL;
    case Unread.damaged:
    case Unread.otherSs7:
    case Unread.otherWlan:
    case Unread.snap:
    case Unread.udpPort:
    case Unread.tcpPort:
    case Unread.sctpPort:
    case Unread.tlsPort:
      return true;
    default:
      return false;
  }
}

function describe(count: UnreadCount): string {
  const amount = packets(count.packets);
  return count.kind === Unread.damaged
    ? `${amount} damaged, cut short or in fragments`
    : `${amount} of ${nameOf(count)} not read`;
}

function packets(amount: number): string {
  return `${amount} packet${amount === 1 ? "" : "s"}`;
}

/**
 * Says what was not read: `2 packets of link type 147 not read`.
 *
 * @param counts the largest first
 * @param isEmpty whether the capture had no message at all: then every reason counts, otherwise only those that may hide calls
 */
export function describeUnread(counts: readonly UnreadCount[], isEmpty: boolean): readonly string[] {
  const telling = isEmpty ? counts : counts.filter((count) => !isUsual(count));
  const rest = telling.slice(MOST_NAMED).reduce((sum, count) => sum + count.packets, 0);
  return [
    ...telling.slice(0, MOST_NAMED).map(describe),
    ...(rest > 0 ? [`${packets(rest)} more not read`] : []),
  ];
}
