import "./wire/full-kernel.ts";
import "./wire/name-lookup.ts";
import "./wire/hostile-streams.ts";
import "./wire/certificate-names.ts";
import "./wire/outgoing.ts";
import "./wire/stream-shares.ts";
import "./wire/tls-causes.ts";
