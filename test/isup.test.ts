import "./isup/isup-relay.ts";
import "./isup/isup-fuzz.ts";
import "./isup/emergency.ts";
import "./isup/events.ts";
import "./isup/held-releases.ts";
import "./isup/order-release.ts";
import "./isup/names.ts";
