import "./calls/life.ts";
import "./calls/keys.ts";
import "./calls/capacity.ts";
import "./calls/names-on-the-wire.ts";
import "./calls/snapshot.ts";
import "./calls/model.ts";
