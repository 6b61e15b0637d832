// Finds the IP header in a captured frame: the first step from frame to message.
import {
  enterEthernet,
  skipBackboneTag,
  skipEthernet,
  skipLlc,
  skipMacsec,
  skipMpls,
  skipVlan,
  skipVnTag,
} from "./ethernet.ts";
import { Header, type Place, type Skip } from "./place.ts";
import { skipCooked, skipCooked2, skipFamily, skipNflog } from "./pseudo.ts";
import { skipCiscoHdlc, skipFrameRelay, skipNlpid, skipPpp, skipPppDirection, skipPppoe } from "./serial.ts";
import { DAMAGED, unread, Unread } from "./unread.ts";
import { skipAvs, skipPaddedWlan, skipPpi, skipPrism, skipRadiotap, skipWlan } from "./wlan.ts";

/**
 * The LINKTYPE_ values that are read: those that carry IP, those of signalling links, and those that carry one protocol alone
 * (https://www.tcpdump.org/linktypes.html).
 */
export const LinkType = {
  null: 0,
  ethernet: 1,
  ppp: 9,
  rawBsd: 12,
  rawOpenBsd: 14,
  pppHdlc: 50,
  pppEther: 51,
  raw: 101,
  ciscoHdlc: 104,
  wlan: 105,
  frameRelay: 107,
  loop: 108,
  cooked: 113,
  prism: 119,
  radiotap: 127,
  mtp2WithHeader: 139,
  mtp2: 140,
  mtp3: 141,
  avs: 163,
  pppd: 166,
  ppi: 192,
  pppWithDirection: 204,
  ipv4: 228,
  ipv6: 229,
  nflog: 239,
  sctp: 248,
  exportedPdu: 252,
  cooked2: 276,
} as const;

/** At most this many headers may stand between link and network layer. */
const MAX_STACKED = 16;

/** The header that a frame of each link type begins with. */
const firstHeaders: ReadonlyMap<number, number> = new Map([
  [LinkType.null, Header.family],
  [LinkType.ethernet, Header.ethernet],
  [LinkType.ppp, Header.ppp],
  [LinkType.rawBsd, Header.ip],
  [LinkType.rawOpenBsd, Header.ip],
  [LinkType.pppHdlc, Header.ppp],
  [LinkType.pppEther, Header.pppoe],
  [LinkType.raw, Header.ip],
  [LinkType.ciscoHdlc, Header.ciscoHdlc],
  [LinkType.wlan, Header.wlan],
  [LinkType.frameRelay, Header.frameRelay],
  [LinkType.loop, Header.family],
  [LinkType.cooked, Header.cooked],
  [LinkType.prism, Header.prism],
  [LinkType.radiotap, Header.radiotap],
  [LinkType.avs, Header.avs],
  [LinkType.pppd, Header.pppWithDirection],
  [LinkType.ppi, Header.ppi],
  [LinkType.pppWithDirection, Header.pppWithDirection],
  [LinkType.ipv4, Header.ip],
  [LinkType.ipv6, Header.ip],
  [LinkType.nflog, Header.nflog],
  [LinkType.cooked2, Header.cooked2],
]);

const skips: ReadonlyMap<number, Skip> = new Map([
  [Header.vlan, skipVlan],
  [Header.serviceVlan, skipVlan],
  [Header.oldQinQ, skipVlan],
  [Header.backboneVlan, skipBackboneTag],
  [Header.vnTag, skipVnTag],
  [Header.pppoe, skipPppoe],
  [Header.mpls, skipMpls],
  [Header.mplsMulticast, skipMpls],
  [Header.macsec, skipMacsec],
  [Header.bridgedEthernet, enterEthernet],
  [Header.pppOfGre, skipPpp],
  [Header.frameRelayOfGre, skipFrameRelay],
  [Header.ethernet, skipEthernet],
  [Header.llc, skipLlc],
  [Header.ppp, skipPpp],
  [Header.pppWithDirection, skipPppDirection],
  [Header.ciscoHdlc, skipCiscoHdlc],
  [Header.frameRelay, skipFrameRelay],
  [Header.nlpid, skipNlpid],
  [Header.wlan, skipWlan],
  [Header.paddedWlan, skipPaddedWlan],
  [Header.radiotap, skipRadiotap],
  [Header.prism, skipPrism],
  [Header.avs, skipAvs],
  [Header.ppi, skipPpi],
  [Header.nflog, skipNflog],
  [Header.family, skipFamily],
  [Header.cooked, skipCooked],
  [Header.cooked2, skipCooked2],
]);

const place: Place = { type: 0, at: 0 };

/**
 * Skips what stands before IP in `buffer[at, end)`.
 *
 * @param header the {@link Header} that begins at `at`; any EtherType is one
 * @returns where the IP header begins, or a reason of `unread`
 */
export function findIpBehind(header: number, buffer: Buffer, at: number, end: number): number {
  place.type = header;
  place.at = at;
  for (let headers = 0; headers <= MAX_STACKED; headers += 1) {
    const { type } = place;
    if (type === Header.ipv4 || type === Header.ipv6 || type === Header.ip)
      return place.at < end ? place.at : DAMAGED;
    const skip = skips.get(type);
    if (skip === undefined) return unread(Unread.etherType, type);
    const fault = skip(place, buffer, end);
    if (fault < 0) return fault;
  }
  return unread(Unread.nested);
}

/**
 * Finds the IP header of the packet `buffer[start, end)`.
 *
 * @returns where it begins, or a reason of `unread` when the packet carries no IP
 */
export function findIp(linkType: number, buffer: Buffer, start: number, end: number): number {
  if (linkType === LinkType.ethernet && start + 14 < end) {
    const type = (buffer[start + 12]! << 8) | buffer[start + 13]!;
    if (type === Header.ipv4 || type === Header.ipv6) return start + 14;
  }
  const header = firstHeaders.get(linkType);
  return header === undefined ? unread(Unread.linkType, linkType) : findIpBehind(header, buffer, start, end);
}
