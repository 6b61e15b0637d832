import "./sip/address.ts";
import "./sip/identity.ts";
import "./sip/scan.ts";
import "./sip/via.ts";
