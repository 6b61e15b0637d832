import { testSessions, testStreamSessions, testTwinSessions } from "./fuzz/hostile-sessions.ts";

// They begin where those of the short area end.
testSessions(4775, 2000);
testStreamSessions(3511, 1500);
testTwinSessions(20_024, 600);
