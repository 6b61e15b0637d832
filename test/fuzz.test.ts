import "./fuzz/tampering.ts";
import "./fuzz/found.ts";
import "./fuzz/campaigns.ts";
import "./fuzz/streams.ts";
