import type { TenantId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { billingStorage, createBillingRows, daysIn, type IssuedInvoice } from '../../src/billing/billing-rows'
import { periodAfter, type Period } from '../../src/billing/calendar'
import { createSubscriptions } from '../../src/notifications/subscriptions'
import { dataKeyStorage } from '../../src/encryption/tenant-keys'
import { exportFiles } from '../../src/offboarding/export-files'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantInput } from '../../src/tenants/tenant-input'
import { queryUsage } from '../../src/usage/query-usage'
import { usageStorage } from '../../src/usage/run-roll-up'
import { platformTable } from '../../src/storage/platform-table'
import { tenantTable } from '../../src/storage/tenant-table'
import { placeStorage } from '../../src/storage/places'
import { tenantStorage } from '../../src/tenants/tenants'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'
import { lifecycleParts } from './lifecycle-parts'

const YEAR_MS = 366 * 86_400_000

const nothing = {
  keys: { list: async () => [] },
  members: { list: async () => [] },
  directories: { list: async () => [] },
  audit: { page: async () => [] },
  records: { ids: async function* () {}, get: async () => undefined },
  files: { list: async () => ({ files: [], hasMore: false }), read: async () => undefined },
  billing: { invoices: async () => [] },
  subscriptions: { list: async () => [] },
}

async function newTenant(nowMs: number) {
  const storage = freshStorage()
  await storage.ensure({
    tables: [
      ...tenantStorage.tables,
      ...placeStorage.tables,
      ...usageStorage.tables,
      ...billingStorage.tables,
      ...dataKeyStorage.tables,
    ],
    containers: [...placeStorage.containers, ...usageStorage.containers],
  })
  const clock = handClock(nowMs)
  const parts = lifecycleParts(storage, clock)
  const scope = TenantScope.ofPlatform(parts.ids.tenantId())
  const registered = await parts.tenants.register(
    scope.tenantId,
    tenantInput.parse({
      displayName: 'Old',
      contact: { email: 'a@old.example' },
      tier: 'free',
      region: 'swedencentral',
    }),
  )
  expect(registered).not.toBeInstanceOf(Problem)
  const usage = (asked: TenantScope, query: Readonly<Record<string, string>>) =>
    queryUsage({ storage, clock, rollUp: { run: async () => {} } }, asked, query)
  return { storage, clock, scope, usage, ...parts }
}

async function textsOf(files: ReturnType<typeof exportFiles>): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for await (const { name, content } of files) {
    const chunks: Uint8Array[] = []
    for await (const chunk of content) chunks.push(chunk)
    texts[name] = Buffer.concat(chunks).toString()
  }
  return texts
}

const linesOf = (text: string | undefined) => (text ?? '').split('\n').filter((line) => line !== '')

const noCost = {
  callsMicroUsd: 0,
  provisionedMicroUsd: 0,
  trainingMicroUsd: 0,
  hostingMicroUsd: 0,
  storageMicroUsd: 0,
  totalMicroUsd: 0,
}

function issuedInvoice(tenantId: TenantId, period: Period): IssuedInvoice {
  const { from, to } = daysIn(period)
  return {
    inputs: {
      tenantId,
      period,
      billedTo: 'Old',
      served: { from, to },
      plans: [],
      storage: [],
      storagePrices: [],
      credits: [],
      carriedOverMicroUsd: 0,
      lateMicroUsd: 0,
    },
    made: { lines: [], totalMicroUsd: 7, revenueMicroUsd: 7, carriedForwardMicroUsd: 0, cost: noCost },
    sheetsSha256: '',
    issuedAt: 0,
  }
}

describe('the files of an export', () => {
  it('are made of a tenant of any age: its usage is asked for in spans that usage answers', async () => {
    const { clock, scope, usage, tenants } = await newTenant(Date.UTC(2023, 1, 28, 23, 59))
    await clock.advance(3 * YEAR_MS)

    const spans: { from: string; to: string }[] = []
    const queryAndNote: typeof usage = async (asked, query) => {
      const report = await usage(asked, query)
      if (!(report instanceof Problem)) spans.push(report)
      return report
    }
    const texts = await textsOf(exportFiles({ ...nothing, tenants, queryUsage: queryAndNote, clock }, scope))
    expect(Object.keys(texts)).toEqual([
      'profile.json',
      'keys.json',
      'members.json',
      'subscriptions.json',
      'usage-by-day.jsonl',
      'invoices.jsonl',
      'audit.jsonl',
      'records.jsonl',
    ])
    // Without a gap, from the day on which it came to the end of today.
    expect(spans[0]?.from).toBe('2023-02-28T00:00:00.000Z')
    for (const [index, { from }] of spans.entries()) if (index > 0) expect(from).toBe(spans[index - 1]?.to)
    expect(Date.parse(spans.at(-1)?.to ?? '')).toBeGreaterThan(clock.now())
  })

  it('have every invoice that was issued, in order, and nothing of what it costs the platform', async () => {
    const { storage, clock, scope, usage, tenants } = await newTenant(Date.UTC(2024, 0, 15))
    const rows = createBillingRows({
      tenantRows: tenantTable(storage.table('billing')),
      platformRows: platformTable(storage.table('billing')),
    })
    const periods: Period[] = []
    for (let period: Period = '2024-01'; period <= '2025-03'; period = periodAfter(period)) periods.push(period)
    for (const period of periods) await rows.insertInvoice(scope, issuedInvoice(scope.tenantId, period))

    const texts = await textsOf(exportFiles({ ...nothing, tenants, queryUsage: usage, billing: rows, clock }, scope))

    const invoices = linesOf(texts['invoices.jsonl']).map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(invoices.map(({ period }) => period)).toEqual(periods)
    expect(invoices[0]).toMatchObject({ state: 'issued', billedTo: 'Old', totalMicroUsd: 7 })
    expect(invoices[0]).not.toHaveProperty('cost')
  })

  it('have the subscriptions once, without what their webhooks are signed with', async () => {
    const { clock, scope, usage, tenants, records, keyring } = await newTenant(Date.UTC(2024, 0, 15))
    await keyring.create(scope)
    const subscriptions = createSubscriptions({ records, keyring, contactOf: async () => 'a@old.example' })
    const secret = `whsec_${'s'.repeat(44)}`
    await subscriptions.add(scope, {
      id: `sub_${'1'.repeat(26)}`,
      name: 'ours',
      channel: { kind: 'webhook', url: 'https://hooks.old.example/1', secrets: [{ secret }] },
      severityMin: 'notice',
      timeZone: 'UTC',
      criticalWaits: false,
      createdAt: 0,
    })

    const texts = await textsOf(
      exportFiles({ ...nothing, tenants, queryUsage: usage, records, subscriptions, clock }, scope),
    )

    expect(JSON.parse(texts['subscriptions.json'] ?? '')).toMatchObject({
      subscriptions: [{ name: 'ours', channel: { kind: 'webhook', url: 'https://hooks.old.example/1' } }],
    })
    expect(Object.values(texts).join('\n')).not.toContain(secret)
  })

  it('have the usage of every page of the answers', async () => {
    const { clock, scope, usage, tenants } = await newTenant(Date.UTC(2024, 0, 15))
    const report = await usage(scope, { from: '2024-01-15', to: '2024-01-16', groupBy: 'alias', interval: 'day' })
    if (report instanceof Problem) throw new Error(report.public)
    const rows = ['a', 'b', 'c'].map((alias) => ({ ...report.totals, alias }))
    const onePageEach: typeof usage = async (_scope, { after = '0' }) => {
      const page = { ...report, rows: rows.slice(Number(after), Number(after) + 1) }
      return Number(after) + 1 < rows.length ? { ...page, next: String(Number(after) + 1) } : page
    }

    const texts = await textsOf(exportFiles({ ...nothing, tenants, queryUsage: onePageEach, clock }, scope))

    expect(linesOf(texts['usage-by-day.jsonl']).map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { alias: 'a' },
      { alias: 'b' },
      { alias: 'c' },
    ])
  })
})
