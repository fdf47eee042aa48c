import fc from 'fast-check'
import type { InstanceId } from '../../src/base/ids'
import { systemClock } from '../../src/base/clock'
import { ProblemError } from '../../src/base/problem'
import { createUsageLog } from '../../src/metering/create-usage-log'
import { usageLogContainer } from '../../src/metering/log-blob-name'
import type { OpenCall } from '../../src/metering/usage-log'
import { usageLogBounds, type UsageLogBounds } from '../../src/metering/usage-log-bounds'
import { rollUp } from '../../src/usage/roll-up'
import { freshStorage } from '../harness/storage'
import { faultyStorage, type BlobRequest, type Fault } from './faulty-storage'
import { linesOf, silentLog } from './read-all'
import { intentOf, settlementOf } from './records'

const INSTANCE: InstanceId = 'ins_test'
const none: Fault = { kind: 'none' }

/** A usage log behind a proxy that treats each request as `fault` says, and Azurite itself to look at what came of it. */
async function logBehind(fault: (request: BlobRequest) => Fault, bounds: Partial<UsageLogBounds> = {}) {
  const direct = freshStorage()
  await direct.ensure({ containers: [usageLogContainer] })
  const proxy = await faultyStorage(direct.prefix, fault)
  const usageLog = createUsageLog(
    { storage: proxy.storage, clock: systemClock, instanceId: INSTANCE, log: silentLog },
    { ...usageLogBounds, attemptMs: 400, backOffMsMin: 2, backOffMsMax: 50, ...bounds },
  )
  const end = async () => {
    await usageLog.close()
    await proxy.settled()
    await proxy.close()
  }
  return { usageLog, container: direct.container(usageLogContainer), end }
}

function opened(call: OpenCall | undefined): OpenCall {
  if (!call) throw new Error('the call was refused')
  return call
}

/** Lines as `callId kind`, sorted: any duplicate or gap shows. */
const namesOf = (lines: Awaited<ReturnType<typeof linesOf>>) =>
  lines.map(({ line }) => `${line.intent.callId} ${line.kind}`).sort()

const anyFault = fc.oneof(
  { weight: 4, arbitrary: fc.constant(none) },
  { weight: 1, arbitrary: fc.constant<Fault>({ kind: 'lost-request' }) },
  { weight: 2, arbitrary: fc.constant<Fault>({ kind: 'lost-answer' }) },
  { weight: 2, arbitrary: fc.constantFrom(500, 503).map((status): Fault => ({ kind: 'false-answer', status })) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 150 }).map((delayMs): Fault => ({ kind: 'late-request', delayMs })),
  },
  { weight: 1, arbitrary: fc.constant<Fault>({ kind: 'refusal', status: 503, code: 'ServerBusy' }) },
  { weight: 1, arbitrary: fc.constant<Fault>({ kind: 'refusal', status: 403, code: 'AuthenticationFailed' }) },
)

describe('a usage log whose storage fails', () => {
  it('holds every record exactly once, whatever befell the requests', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyFault, { minLength: 5, maxLength: 12 }), async (faults) => {
        const coming = [...faults]
        const { usageLog, container, end } = await logBehind(() => coming.shift() ?? none)
        const names: number[] = []
        for (let i = 0; i < 6; i++) {
          const call = opened(usageLog.open(intentOf(i)))
          await call.durable()
          call.settle(settlementOf())
          names.push(i)
        }
        await usageLog.flush()
        await end()

        const expected = names.flatMap((i) => [`call_${i} intent`, `call_${i} settled`]).sort()
        expect(namesOf(await linesOf(container))).toEqual(expected)
      }),
      { numRuns: 25 },
    )
  })

  it('does not empty a blob when a duplicate of its creation arrives late', async () => {
    let creations = 0
    const { usageLog, container, end } = await logBehind(({ isCreate }) =>
      isCreate && ++creations === 1 ? { kind: 'late-request', delayMs: 300 } : none,
    )
    await opened(usageLog.open(intentOf(1))).durable()
    await end()

    expect(namesOf(await linesOf(container))).toEqual(['call_1 intent'])
  })

  it('writes an append once that was applied although no answer came within the attempt’s time', async () => {
    let appends = 0
    const { usageLog, container, end } = await logBehind(({ isAppend }) =>
      isAppend && ++appends === 1 ? { kind: 'late-answer', delayMs: 2_500 } : none,
    )
    const call = opened(usageLog.open(intentOf(1)))
    await call.durable()
    await end()

    expect(appends).toBeGreaterThan(1)
    expect(namesOf(await linesOf(container))).toEqual(['call_1 intent'])
  })

  it('goes on in another blob when its blob takes nothing any more, and the sum over the blobs stays right', async () => {
    let full = false
    const { usageLog, container, end } = await logBehind(({ isAppend, path }) =>
      full && isAppend && path.includes('-000001.log')
        ? { kind: 'refusal', status: 409, code: 'BlockCountExceedsLimit' }
        : none,
    )
    const early = opened(usageLog.open(intentOf('early')))
    const lost = opened(usageLog.open(intentOf('never-settled')))
    await Promise.all([early.durable(), lost.durable()])
    full = true
    const during = opened(usageLog.open(intentOf('during')))
    early.settle(settlementOf())
    during.settle(settlementOf())
    await during.durable()
    await end()

    const lines = await linesOf(container)
    const blobs = [...new Set(lines.map(({ blob }) => blob))]
    const sums = blobs
      .flatMap((name) =>
        rollUp(
          '2026010110-ins_test',
          lines.flatMap(({ blob, line }) => (blob === name ? [line] : [])),
        ),
      )
      .flatMap(({ groups }) => groups.map(({ sums }) => sums))
    expect(blobs).toHaveLength(2)
    expect(sums.reduce((total, { calls }) => total + calls, 0)).toBe(2)
    expect(sums.reduce((total, { unsettled }) => total + unsettled, 0)).toBe(1)
  })

  it('recognises its own append when the blob was sealed right after it', async () => {
    let step: 'open' | 'applied' | 'sealed' = 'open'
    const { usageLog, container, end } = await logBehind(({ isAppend }) => {
      if (!isAppend || step === 'open') return none
      if (step === 'sealed') return { kind: 'refusal', status: 409, code: 'BlobIsSealed' }
      step = 'sealed'
      return { kind: 'lost-answer' }
    })
    const first = opened(usageLog.open(intentOf(1)))
    await first.durable()
    step = 'applied'
    first.settle(settlementOf())
    await usageLog.flush()
    await end()

    expect(namesOf(await linesOf(container))).toEqual(['call_1 intent', 'call_1 settled'])
  })

  it('rejects durable() with metering_unavailable after its bound, and still writes the record when storage is back', async () => {
    let down = true
    const { usageLog, container, end } = await logBehind(() => (down ? { kind: 'lost-request' } : none), {
      durableWaitMs: 200,
    })
    const call = opened(usageLog.open(intentOf(1)))
    const problem = await call.durable().catch((error: unknown) => error)
    down = false
    call.settle(settlementOf({ outcome: 'failed', status: 503 }))
    await end()

    expect(problem).toBeInstanceOf(ProblemError)
    expect(problem).toMatchObject({ problem: { code: 'metering_unavailable' } })
    expect(namesOf(await linesOf(container))).toContain('call_1 settled')
  })

  it('refuses calls while storage has failed for long, and takes them again afterwards', async () => {
    let down = true
    const { usageLog, end } = await logBehind(() => (down ? { kind: 'lost-request' } : none), {
      refuseAfterFailingMs: 200,
      durableWaitMs: 500,
    })
    const call = opened(usageLog.open(intentOf(1)))
    await call.durable().catch(() => {})

    expect(usageLog.open(intentOf(2))).toBeUndefined()
    down = false
    await usageLog.flush()
    expect(usageLog.open(intentOf(3))).toBeDefined()
    await end()
  })
})
