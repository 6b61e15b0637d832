import "./sip/name-addr.ts";
import "./sip/body.ts";
import "./sip/sip-identity.ts";
import "./sip/linear.ts";
import "./sip/scan.ts";
import "./sip/via.ts";
import "./sip/sip-i-body.ts";
