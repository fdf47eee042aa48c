import type { AsleepBackend } from '../../src/tenants/asleep-backend'
import { createWakeCalls } from '../../src/hosting/wake-calls'
import { handClock } from '../harness/hand-clock'
import { silentLog } from '../metering/read-all'

const TENANT = `ten_${'a'.repeat(26)}` as const
const asleep: AsleepBackend = {
  backendId: `bke_${'a'.repeat(26)}`,
  modelId: `mdl_${'a'.repeat(26)}`,
  sinceMs: 1,
  wakeMs: 1_000,
}

function asking(fails = 0) {
  const clock = handClock()
  const asked: string[] = []
  let left = fails
  const ask = async (_: string, modelId: string) => {
    asked.push(modelId)
    if (left-- > 0) throw new Error('storage is away')
  }
  return { clock, asked, wake: createWakeCalls({ ask, clock, log: silentLog }) }
}

describe('calls of a model that sleeps', () => {
  it('ask for it once in a while, however many they are', async () => {
    const { clock, asked, wake } = asking()
    for (let call = 0; call < 1_000; call++) wake(TENANT, asleep)
    expect(asked).toEqual([asleep.modelId])
    await clock.advance(15_000)
    wake(TENANT, asleep)
    expect(asked).toHaveLength(2)
  })

  it('ask anew when it sleeps again, and for each model', () => {
    const { asked, wake } = asking()
    wake(TENANT, asleep)
    wake(TENANT, { ...asleep, sinceMs: 2 })
    wake(TENANT, { ...asleep, modelId: `mdl_${'b'.repeat(26)}` })
    expect(asked).toHaveLength(3)
  })

  it('ask no more while it is being woken, unless that has been so for hours', () => {
    const { clock, asked, wake } = asking()
    const waking = (agoMs: number) => ({ sinceMs: clock.now() - agoMs, stage: 'making' as const })
    wake(TENANT, { ...asleep, waking: waking(60_000) })
    expect(asked).toEqual([])
    wake(TENANT, { ...asleep, waking: waking(8 * 3_600_000) })
    expect(asked).toHaveLength(1)
  })

  it('do not ask while Azure has refused it a moment ago', async () => {
    const { clock, asked, wake } = asking()
    const refused = { code: 'provisioning_refused', untilMs: clock.now() + 60_000 }
    wake(TENANT, { ...asleep, refused })
    expect(asked).toEqual([])
    await clock.advance(60_000)
    wake(TENANT, { ...asleep, refused })
    expect(asked).toHaveLength(1)
  })

  it('ask at once again where the message was lost', async () => {
    const { clock, asked, wake } = asking(1)
    wake(TENANT, asleep)
    await clock.advance(1)
    wake(TENANT, asleep)
    expect(asked).toHaveLength(2)
  })

  it('are remembered for a bounded number of models', () => {
    const { asked, wake } = asking()
    for (let n = 0; n < 10_001; n++) wake(TENANT, { ...asleep, sinceMs: n })
    wake(TENANT, { ...asleep, sinceMs: 0 })
    expect(asked).toHaveLength(10_002)
    wake(TENANT, { ...asleep, sinceMs: 10_000 })
    expect(asked).toHaveLength(10_002)
  })
})
