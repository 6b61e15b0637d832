import "./state/expiring-map.ts";
import "./state/token-bucket.ts";
import "./state/sliding-window.ts";
