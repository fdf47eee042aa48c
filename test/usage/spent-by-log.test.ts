import { TenantScope } from '../../src/storage/tenant-scope'
import { queryUsage } from '../../src/usage/query-usage'
import { createRollUp } from '../../src/usage/run-roll-up'
import { createSpentByLog } from '../../src/usage/spent-by-log'
import { intentOf, settlementOf } from '../metering/records'
import { freshUsage, writeHistories } from './usage-fixtures'

const HOUR_MS = 3_600_000
const START = Date.UTC(2026, 0, 31, 22)

describe('what budgets count by the usage log', () => {
  it('is what a call’s end counts: prompt, output and hedged prompt, and its cost; of the tenant, a key or an alias', async () => {
    const usage = await freshUsage(START + HOUR_MS)
    const tokens = { cachedTokens: 50, reasoningTokens: 3 }
    const calls = [
      {
        intent: intentOf(1, { tenantId: 'ten_a', keyId: 'key_1', alias: 'fast', startedAt: START }),
        settlement: settlementOf({
          usage: { ...tokens, promptTokens: 100, outputTokens: 10 },
          hedgedTokens: 90,
          costMicroUsd: 7,
        }),
        blob: 0,
      },
      {
        intent: intentOf(2, { tenantId: 'ten_a', keyId: 'key_2', alias: 'good', startedAt: START }),
        settlement: settlementOf({ usage: { ...tokens, promptTokens: 200, outputTokens: 20 }, costMicroUsd: 5 }),
        blob: 0,
      },
    ]
    await writeHistories(usage, calls, START)
    const rollUp = createRollUp(usage)
    const spentByLog = createSpentByLog((scope, query) => queryUsage({ ...usage, rollUp }, scope, query))
    const scope = TenantScope.ofPlatform('ten_a')
    const span = { fromMs: START, toMs: START + HOUR_MS }
    expect(await spentByLog(scope, { kind: 'tenant' }, span)).toEqual({ tokens: 200 + 220, microUsd: 12 })
    expect(await spentByLog(scope, { kind: 'key', keyId: 'key_1' }, span)).toEqual({ tokens: 200, microUsd: 7 })
    expect(await spentByLog(scope, { kind: 'alias', alias: 'good' }, span)).toEqual({ tokens: 220, microUsd: 5 })
    expect(await spentByLog(scope, { kind: 'alias', alias: 'other' }, span)).toEqual({ tokens: 0, microUsd: 0 })
  })
})
