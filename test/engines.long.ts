import "./engines/drachtio-outages.ts";
import "./engines/drachtio-kill.ts";
import "./engines/next-hops.ts";
