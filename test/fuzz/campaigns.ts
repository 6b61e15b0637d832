import { testSessions } from "./hostile-sessions.ts";

testSessions(4475, 300);
