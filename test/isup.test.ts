import "./isup/isup-relay.ts";
import "./isup/isup-fuzz.ts";
