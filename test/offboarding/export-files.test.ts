import { Problem } from '../../src/base/problem'
import { exportFiles } from '../../src/offboarding/export-files'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantInput } from '../../src/tenants/tenant-input'
import { queryUsage } from '../../src/usage/query-usage'
import { usageStorage } from '../../src/usage/run-roll-up'
import { placeStorage } from '../../src/storage/places'
import { tenantStorage } from '../../src/tenants/tenants'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { lifecycleParts } from './lifecycle-parts'

const YEAR_MS = 366 * 86_400_000

describe('the files of an export', () => {
  it('are made of a tenant of any age: its usage is asked for in spans that usage answers', async () => {
    const storage = freshStorage()
    await storage.ensure({
      tables: [...tenantStorage.tables, ...placeStorage.tables, ...usageStorage.tables],
      containers: [...placeStorage.containers, ...usageStorage.containers],
    })
    const clock = handClock(Date.UTC(2023, 1, 28, 23, 59))
    const { ids, tenants } = lifecycleParts(storage, clock)
    const scope = TenantScope.ofPlatform(ids.tenantId())
    const registered = await tenants.register(
      scope.tenantId,
      tenantInput.parse({
        displayName: 'Old',
        contact: { email: 'a@old.example' },
        tier: 'free',
        region: 'swedencentral',
      }),
    )
    expect(registered).not.toBeInstanceOf(Problem)
    await clock.advance(3 * YEAR_MS)

    const spans: { from: string; to: string }[] = []
    const files = exportFiles(
      {
        tenants,
        keys: { list: async () => [] },
        members: { list: async () => [] },
        directories: { list: async () => [] },
        audit: { page: async () => [] },
        records: { ids: async function* () {}, get: async () => undefined },
        files: { list: async () => ({ files: [], hasMore: false }), read: async () => undefined },
        queryUsage: async (asked, query) => {
          const report = await queryUsage({ storage, clock, rollUp: { run: async () => {} } }, asked, query)
          if (!(report instanceof Problem)) spans.push(report)
          return report
        },
        clock,
      },
      scope,
    )
    const names: string[] = []
    for await (const { name, content } of files) {
      names.push(name)
      for await (const chunk of content) expect(chunk.length).toBeGreaterThan(0)
    }
    expect(names).toEqual([
      'profile.json',
      'keys.json',
      'members.json',
      'usage-by-day.jsonl',
      'audit.jsonl',
      'records.jsonl',
    ])
    // Without a gap, from the day on which it came to the end of today.
    expect(spans[0]?.from).toBe('2023-02-28T00:00:00.000Z')
    for (const [index, { from }] of spans.entries()) if (index > 0) expect(from).toBe(spans[index - 1]?.to)
    expect(Date.parse(spans.at(-1)?.to ?? '')).toBeGreaterThan(clock.now())
  })
})
