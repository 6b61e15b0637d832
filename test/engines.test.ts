import "./engines/embedded.ts";
import "./engines/name-lookup.ts";
import "./engines/next-hops.ts";
