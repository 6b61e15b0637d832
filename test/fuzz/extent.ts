/** How far a campaign goes. So many sessions are the same on every machine; so many seconds are what somebody wants to wait. */
export type Extent = { readonly sessions: number } | { readonly seconds: number };

/** A function that is true while there is another session to run. Its argument: sessions so far. */
export function openExtent(extent: Extent): (done: number) => boolean {
  if ("sessions" in extent) return (done) => done < extent.sessions;
  const end = performance.now() + extent.seconds * 1000;
  return () => performance.now() < end;
}
