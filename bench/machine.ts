import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

export function residentMb(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined
  const kilobytes = Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)]).toString())
  return Math.round(kilobytes / 1_024)
}

/** User and system time of a process so far (proc(5): fields 14 and 15 of stat, in ticks of 10 ms). */
export function cpuMicroseconds(pid: number | undefined): number | undefined {
  if (pid === undefined || process.platform !== 'linux') return undefined
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

export function machine(): string {
  const [cpu] = cpus()
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`
}

export function progress(what: string, done: number, total: number): void {
  const width = 30
  const filled = Math.round((width * done) / total)
  process.stderr.write(`\r${what} [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${done}/${total}   `)
  if (done === total) process.stderr.write('\n')
}
