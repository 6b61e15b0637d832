import "./engines/embedded.ts";
import "./engines/full-kernel.ts";
import "./engines/name-lookup.ts";
import "./engines/next-hops.ts";
import "./engines/crossings.ts";
import "./engines/hostile-streams.ts";
import "./engines/certificate-names.ts";
import "./engines/tls.ts";
