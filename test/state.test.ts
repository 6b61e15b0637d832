import "./state/key-hash.ts";
import "./state/expiring-slots.ts";
import "./state/expiring-map.ts";
import "./state/shares.ts";
import "./state/fair-room.ts";
import "./state/token-bucket.ts";
import "./state/sliding-window.ts";
import "./state/frequency-counts.ts";
