// Says where Redis is, for messages to operators.
import type { RedisConfig } from "../../config/sigwall/redis-schema.ts";
import { formatEndpoint } from "../../net/endpoint.ts";

/** `127.0.0.1:6379`, `/run/redis.sock` or `sigwall by 192.0.2.71:26379, …`. */
export function describePlace({ place }: RedisConfig): string {
  switch (place.kind) {
    case "tcp":
      return atPort(place);
    case "socket":
      return place.path;
    case "sentinels":
      return `${place.master} by ${place.sentinels.map(atPort).join(", ")}`;
  }
}

function atPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return formatEndpoint({ address: host, port });
}
