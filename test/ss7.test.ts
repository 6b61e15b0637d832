import "./ss7/vectors.ts";
import "./ss7/isup.ts";
import "./ss7/identity.ts";
import "./ss7/carriers.ts";
import "./ss7/fuzz.ts";
import "./ss7/literate.ts";
import "./ss7/wireshark.ts";
