// The places of a listener: its open sockets, bounded by remote address and shared among trunks.
import type { Socket } from "node:net";
import { NEXT_HOP } from "../../domain/trunk.ts";
import { createFairRoom, type Items } from "../../state/fair-room.ts";
import type { Connection } from "./connection.ts";

/** A socket that has a place at the listener. */
export interface Place {
  readonly socket: Socket;
  readonly address: string;
  /** A connection of ours to a next hop. */
  readonly isOwn: boolean;
  /** A trunk, a next hop or a stranger. */
  owner: string;
  /** Undefined during a handshake. */
  connection: Connection | undefined;
}

/** The open sockets of a listener. Under want of room the trunk with most places gives up its idlest one. */
export interface Places {
  /** Every open socket, those without a place too. */
  readonly sockets: ReadonlySet<Socket>;
  /**
   * Makes room for one more socket of `owner`.
   * @returns false when that address has its most, or the owner has most places of all
   */
  makeRoom(address: string, owner: string): boolean;
  /**
   * Counts a socket until it is closed. Its errors end in its close, so nothing else needs to
   * listen for them.
   */
  keep(socket: Socket, address: string, owner: string): Place;
  /** Keeps a socket of our own, which needs no place: the configuration bounds the number of next hops. */
  keepOwn(socket: Socket, address: string): Place;
  /** The peer has turned out to be another one's, by its certificate or after a reload. */
  move(place: Place, owner: string): void;
}

/** What {@link createPlaces} is made of. */
export interface PlacesParts {
  /** Places in all, and for one address. */
  readonly most: number;
  readonly mostBySource: number;
  /** Ends a connection or handshake for want of room. */
  readonly giveUp: (place: Place) => void;
}

export function createPlaces({ most, mostBySource, giveUp }: PlacesParts): Places {
  const sockets = new Set<Socket>();
  const bySource = new Map<string, number>();
  const room = createFairRoom<Place>({ most, choose: idlestOf, giveUp });

  const open = (socket: Socket, address: string, owner: string, isOwn: boolean): Place => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("close", () => sockets.delete(socket));
    return { socket, address, owner, isOwn, connection: undefined };
  };

  return {
    sockets,
    makeRoom: (address, owner) => (bySource.get(address) ?? 0) < mostBySource && room.makeRoom(owner, 1),
    keep(socket, address, owner) {
      const place = open(socket, address, owner, false);
      room.hold(place, owner, 1);
      bySource.set(address, (bySource.get(address) ?? 0) + 1);
      socket.once("close", () => {
        room.leave(place);
        const left = (bySource.get(address) ?? 1) - 1;
        if (left > 0) bySource.set(address, left);
        else bySource.delete(address);
      });
      return place;
    },
    keepOwn: (socket, address) => open(socket, address, NEXT_HOP, true),
    move(place, owner) {
      place.owner = owner;
      room.move(place, owner);
    },
  };
}

/** Returns the oldest handshake, else the connection on which nothing has arrived for longest. */
function idlestOf(places: Items<Place>): Place | undefined {
  let idlest: Place | undefined;
  for (const place of places.keys()) {
    if (place.connection === undefined) return place;
    if (idlest?.connection === undefined || place.connection.heardAt < idlest.connection.heardAt)
      idlest = place;
  }
  return idlest;
}
