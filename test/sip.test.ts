import "./sip/address.ts";
import "./sip/body.ts";
import "./sip/identity.ts";
import "./sip/linear.ts";
import "./sip/scan.ts";
import "./sip/via.ts";
import "./sip/isup-body.ts";
