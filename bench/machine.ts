import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'

export function residentMb(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined
  return Math.round(residentKilobytes(pid) / 1_024)
}

/** Starting a process to ask would hold up a tool that measures meanwhile; only Linux tells without (proc(5): status). */
function residentKilobytes(pid: number): number {
  if (process.platform !== 'linux') return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)]).toString())
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
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

/** What the machine had to do in the last minute, others' work included: figures stand beside it. */
export function loadAverage(): string {
  return (loadavg()[0] ?? 0).toFixed(1)
}

/** Time of all processors so far (proc(5): the first line of stat), to tell how busy the machine is between two looks. */
export function machineTicks(): { readonly busy: number; readonly all: number } | undefined {
  if (process.platform !== 'linux') return undefined
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
  const ticks = line.split(/\s+/).slice(1, 9).map(Number)
  const all = ticks.reduce((sum, some) => sum + some, 0)
  const [, , , idle = 0, waiting = 0] = ticks
  return { busy: all - idle - waiting, all }
}

export function progress(what: string, done: number, total: number): void {
  const width = 30
  const filled = Math.round((width * done) / total)
  process.stderr.write(`\r${what} [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${done}/${total}   `)
  if (done === total) process.stderr.write('\n')
}
