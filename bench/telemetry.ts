/**
 * What telemetry costs a call: `serve` on `node:http` without it, and with a collector that takes everything, at shares of traces kept of
 * 0, 0.1 and 1; and what telling and sending take by themselves. The processes take turns within each round; figures are medians of rounds. Usage: telemetry [rounds] [seconds]
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { systemChance } from '../src/base/chance'
import { systemClock } from '../src/base/clock'
import type { Attempt } from '../src/inference/attempt'
import { createCallMetrics } from '../src/telemetry/call-metrics'
import { callSpans } from '../src/telemetry/call-spans'
import { createCallTraces } from '../src/telemetry/call-trace'
import { otlpTraces } from '../src/telemetry/otlp-json'
import { createSampling } from '../src/telemetry/sampling'
import type { Span } from '../src/telemetry/span'
import { newSpanId } from '../src/telemetry/trace-parent'
import { intentOf, settlementOf } from '../test/telemetry/parts'
import { quantile, runLoad } from './load'
import { cpuMicroseconds, loadAverage, machine, progress } from './machine'
import { configureSimulator, PORTS, startBenchStack, startChild, waysOf } from './setup'

/** What a call's own telling takes, on the data path and when its spans are made and written, microseconds of processor. */
function ofOneCall(ratio: number): { readonly telling: number; readonly sending: number } {
  const held: (() => readonly Span[])[] = []
  const spanId = () => newSpanId(chance)
  const traces = createCallTraces({
    clock: systemClock,
    chance,
    sampling: createSampling(systemClock, ratio),
    metrics: createCallMetrics(),
    keep: (call, share) => void held.push(() => callSpans(call, share, spanId)),
  })
  const once = () => {
    const trace = traces.begin({ callId: 'call_1', method: 'POST', traceParent: undefined, traceState: null })
    trace.isOf({ tenantId: 'ten_1', keyId: 'key_1', operation: 'chat.completions' })
    trace.began(intentOf())
    trace.attempt('bke_1').ended(ANSWERED)
    trace.ended(settlementOf(), undefined)
    void trace.durable(WRITTEN)
  }
  const timed = (work: () => void) => {
    const from = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(from)
    return (user + system) / CALLS
  }
  const many = () => {
    for (let n = 0; n < CALLS; n++) once()
  }
  many()
  held.length = 0
  const telling = timed(many)
  const sending = timed(() => {
    for (let at = 0; at < held.length; at += 100)
      otlpTraces(
        held.slice(at, at + 100).flatMap((make) => make()),
        {},
      )
  })
  return { telling, sending }
}

const CALLS = 50_000
const WRITTEN = Promise.resolve()
const chance = systemChance()
const ANSWERED: Attempt = { kind: 'cancelled', sent: true }

const SHARES = [undefined, 0, 0.1, 1] as const
const CONNECTIONS = 32
const WARM_UP_MS = 6_000

async function main(rounds: number, seconds: number): Promise<void> {
  const bench = await startBenchStack()
  const taken = { requests: 0, bytes: 0 }
  const collector = createServer((request, response) => {
    taken.requests++
    request.on('data', (chunk: Buffer) => (taken.bytes += chunk.length))
    request.on('end', () => response.end('{}'))
  })
  await new Promise<void>((resolve) => void collector.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
  const processes = await Promise.all(
    SHARES.map((share, n) =>
      startChild(join(__dirname, 'serve-on-node.js'), [String(PORTS.serve + 20 + n)], {
        ...bench.environment,
        ...(share === undefined
          ? {}
          : { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, TENANTRY_TRACE_SAMPLE_RATIO: `${share}` }),
      }),
    ),
  )
  try {
    await configureSimulator({ latency: { firstTokenMs: 0, tokensPerSecond: 0, jitter: 0 } })
    const serve = waysOf(bench.apiKey, { stack: bench.stack }).find(({ name }) => name === 'serve on node:http')
    if (!serve) throw new Error('there is no such way')
    const shots = SHARES.map((_, n) => ({ ...serve.shot(false), origin: `http://127.0.0.1:${PORTS.serve + 20 + n}` }))
    for (const shot of shots) await runLoad(shot, CONNECTIONS, WARM_UP_MS)
    const figures = SHARES.map((): { cpu: number[]; rate: number[] } => ({ cpu: [], rate: [] }))
    for (let round = 0; round < rounds; round++) {
      for (const [n, shot] of shots.entries()) {
        const before = cpuMicroseconds(processes[n]?.pid) ?? 0
        const { requestsPerSecond } = await runLoad(shot, CONNECTIONS, seconds * 1_000)
        const cpu = ((cpuMicroseconds(processes[n]?.pid) ?? 0) - before) / (requestsPerSecond * seconds)
        figures[n]?.cpu.push(cpu)
        figures[n]?.rate.push(requestsPerSecond)
        progress('telemetry', round * shots.length + n + 1, rounds * shots.length)
      }
    }
    const median = (values: readonly number[]) =>
      Math.round(
        quantile(
          [...values].sort((a, b) => a - b),
          0.5,
        ),
      )
    const lines = SHARES.map((share, n) => {
      const { cpu = [], rate = [] } = figures[n] ?? {}
      return `| ${share === undefined ? 'none' : share} | ${median(rate)} | ${median(cpu)} | ${median([Math.min(...cpu)])} |`
    })
    process.stdout.write(
      [
        `${machine()}, load ${loadAverage()}; the collector took ${taken.requests} sendings of ${Math.round(taken.bytes / 1e6)} MB`,
        '| share of traces kept | requests/s | cpu µs | least of the rounds |',
        '| --- | ---: | ---: | ---: |',
        ...lines,
        '',
      ].join('\n'),
    )
  } finally {
    for (const child of processes) child.kill('SIGTERM')
    collector.close()
    collector.closeAllConnections()
    await bench.stop()
  }
}

for (const ratio of [0, 1]) {
  const { telling, sending } = ofOneCall(ratio)
  process.stdout.write(
    `share ${ratio}: ${telling.toFixed(1)} µs on the data path, ${sending.toFixed(1)} µs when it is sent\n`,
  )
}
const [rounds = '5', seconds = '3'] = process.argv.slice(2)
main(Number(rounds), Number(seconds)).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exitCode = 1
})
