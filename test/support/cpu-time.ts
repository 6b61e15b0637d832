/** CPU time that this process has used since `start`, which `process.cpuUsage()` gave: other processes do not lengthen it. Milliseconds. */
export function millisecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
