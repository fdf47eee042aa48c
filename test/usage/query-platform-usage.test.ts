import fc from 'fast-check'
import { createIdMaker } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { systemChance } from '../../src/base/chance'
import { queryPlatformUsage, type PlatformUsageReport } from '../../src/usage/query-platform-usage'
import type { UsageReport } from '../../src/usage/query-usage'
import { createRollUp } from '../../src/usage/run-roll-up'
import { createTenantsWithUsage } from '../../src/usage/tenants-with-usage'
import { histories, type History } from './histories'
import { freshUsage, report, writeHistories, type FreshUsage } from './usage-fixtures'

const START = Date.UTC(2026, 5, 15, 8)
const NOW = START + 4 * 3_600_000
const settled = { run: async () => {} }

/** Many tenants, each with some calls of its own. */
async function rolledUp() {
  const usage = await freshUsage(NOW)
  const ids = createIdMaker({ clock: usage.clock, chance: systemChance() })
  const tenantIds = Array.from({ length: 7 }, () => ids.tenantId()).sort()
  const calls = fc
    .sample(histories({ startMs: START, spanMinutes: 120, blobs: 2, callsMin: 80, callsMax: 90 }), {
      seed: 3,
      numRuns: 1,
    })
    .flat()
    .map((call, i): History => ({ ...call, intent: { ...call.intent, tenantId: tenantIds[i % 7] ?? 'ten_none' } }))
  await writeHistories(usage, calls, START)
  await createRollUp(usage).run()
  return { usage, tenantIds }
}

const ask = (usage: FreshUsage, raw: Record<string, string>) =>
  queryPlatformUsage({ ...usage, rollUp: settled, tenantsWithUsage: createTenantsWithUsage(usage) }, raw)

async function found(usage: FreshUsage, raw: Record<string, string>): Promise<UsageReport | PlatformUsageReport> {
  const answer = await ask(usage, raw)
  if (answer instanceof Problem) throw new Error(`the query was refused: ${answer.public}`)
  return answer
}

describe('usage as operators see it', () => {
  let prepared: Awaited<ReturnType<typeof rolledUp>>
  beforeAll(async () => (prepared = await rolledUp()))

  it('of one tenant is what the tenant sees', async () => {
    const { usage, tenantIds } = prepared
    const query = { groupBy: 'key,outcome', interval: 'hour' }
    const [tenant = 'ten_none'] = tenantIds
    expect(await found(usage, { ...query, tenant })).toEqual(await report(usage, tenant, query, settled))
  })

  it.each(['1', '3', '1000'])('of all, %s rows a page, is every tenant’s, row by row and each once', async (limit) => {
    const { usage, tenantIds } = prepared
    const query = { interval: 'hour', limit }
    const expected: object[] = []
    for (const tenant of tenantIds) {
      const own = await report(usage, tenant, { interval: 'hour', groupBy: 'outcome' }, settled)
      expected.push(...own.rows.map((row) => ({ tenant, ...row })))
    }
    const rows: object[] = []
    for (let after: string | undefined; ;) {
      const page = await found(usage, {
        ...query,
        groupBy: 'tenant,outcome',
        ...(after === undefined ? {} : { after }),
      })
      expect(page.rows.length).toBeLessThanOrEqual(Number(limit))
      rows.push(...page.rows)
      if (page.next === undefined) break
      after = page.next
    }
    expect(rows.length).toBeGreaterThan(20)
    expect(rows).toEqual(expected)
  })

  it.each([
    [{}, 'tenant', 'group by tenant'],
    [{ groupBy: 'key' }, 'tenant', 'group by tenant'],
    [{ tenant: 'someone' }, 'tenant', 'id of a tenant'],
    [{ groupBy: 'tenant,colour' }, 'groupBy', 'key, alias'],
    [{ groupBy: 'tenant', after: 'nonsense' }, 'after', '"next"'],
    [{ groupBy: 'tenant', after: `ten_${'0'.repeat(26)}.nonsense` }, 'after', '"next"'],
    [{ groupBy: 'tenant', from: '1990-01-01' }, 'from', 'at most 366 days'],
    [{ groupBy: 'tenant', interval: 'minute', from: '2026-06-01' }, 'from', 'at most 1 day'],
  ])('of a query that is not valid (%j) is refused by name', async (raw, param, text) => {
    const problem = await ask(prepared.usage, raw)
    expect(problem).toMatchObject({ code: 'invalid_request', param })
    expect((problem as Problem).public).toContain(text)
  })

  it('is of one tenant or by tenant, not both', async () => {
    const [tenant = ''] = prepared.tenantIds
    expect(await ask(prepared.usage, { tenant, groupBy: 'tenant' })).toMatchObject({ param: 'groupBy' })
  })
})
