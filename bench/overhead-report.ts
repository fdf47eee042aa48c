import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LoadResult } from './load'

export interface Cell extends LoadResult {
  readonly way: string
  readonly connections: number
  readonly stream: boolean
  /** Requests a second against two other ways'. */
  readonly times: { readonly portkey: number; readonly bareProxy: number }
  readonly residentMb: number | undefined
  /** Processor time of the way's own process for one request; tells cost apart from a busy machine. */
  readonly cpuMicroseconds: number | undefined
}

export const CELLS = [
  { connections: 1, stream: false },
  { connections: 32, stream: false },
  { connections: 1, stream: true },
  { connections: 32, stream: true },
]
export interface StreamFigures {
  readonly way: string
  readonly firstByteMs: { readonly p50: number; readonly p99: number }
  readonly totalMs: { readonly p50: number; readonly p99: number }
  readonly errors: number
}

export interface Report {
  readonly machine: string
  readonly date: string
  readonly overhead: readonly Cell[]
  readonly streams: readonly StreamFigures[]
}

export function report(figures: Report, json: string): void {
  mkdirSync(dirname(json), { recursive: true })
  writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`)
  const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`
  const lines = [`${figures.date}, ${figures.machine}`, '']
  for (const { connections, stream } of CELLS) {
    const cells = figures.overhead.filter((c) => c.connections === connections && c.stream === stream)
    lines.push(`${stream ? 'Streaming' : 'Not streaming'}, ${connections} connection${connections > 1 ? 's' : ''}`, '')
    lines.push(
      row(['way', 'requests/s', '× Portkey', '× bare proxy', 'p50 ms', 'p99 ms', 'cpu µs', 'memory MB', 'errors']),
    )
    lines.push(row(['---', ...Array<string>(8).fill('---:')]))
    for (const c of cells) {
      lines.push(
        row([
          c.way,
          Math.round(c.requestsPerSecond),
          c.times.portkey.toFixed(2),
          c.times.bareProxy.toFixed(2),
          c.p50Ms.toFixed(2),
          c.p99Ms.toFixed(2),
          c.cpuMicroseconds === undefined ? '' : Math.round(c.cpuMicroseconds),
          c.residentMb ?? '',
          c.errors,
        ]),
      )
    }
    lines.push('')
  }
  const direct = figures.streams.find(({ way }) => way === 'direct')
  lines.push('300 ms to the first token, 50 tokens/s, 100 tokens; added against direct', '')
  lines.push(
    row(['way', 'first byte p50 ms', 'added', 'p99 ms', 'added', 'total p50 ms', 'added', 'p99 ms', 'added', 'errors']),
  )
  lines.push(row(['---', ...Array<string>(9).fill('---:')]))
  for (const s of figures.streams) {
    const pair = (value: number, base = 0) => [value.toFixed(1), (value - base).toFixed(1)]
    lines.push(
      row([
        s.way,
        ...pair(s.firstByteMs.p50, direct?.firstByteMs.p50),
        ...pair(s.firstByteMs.p99, direct?.firstByteMs.p99),
        ...pair(s.totalMs.p50, direct?.totalMs.p50),
        ...pair(s.totalMs.p99, direct?.totalMs.p99),
        s.errors,
      ]),
    )
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}
