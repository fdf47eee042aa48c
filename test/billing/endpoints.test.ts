import { periodOf, type Day } from '../../src/billing/calendar'
import { createBillingRows } from '../../src/billing/billing-rows'
import { createClosing } from '../../src/billing/closing-state'
import { itemsOf } from '../../src/billing/day-sheet'
import { parseTenantId, type TenantId } from '../../src/base/ids'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable, type Columns } from '../../src/storage/tenant-table'
import { createTenant, expectStatus } from '../functions/control-plane-fixtures'
import { serveControlPlane, type ControlPlaneServer } from '../functions/control-plane-server'
import { handClock } from '../harness/hand-clock'
import { itemGroup } from './billing-fixtures'

const anyVersion = { 'if-match': '*' }
const DAY = 86_400_000

let server: ControlPlaneServer
let tenant: { tenantId: TenantId; apiKey: string }
let path: string
beforeAll(async () => {
  server = await serveControlPlane({ clock: handClock(Date.UTC(2026, 0, 30)) })
  const { tenantId, apiKey } = await createTenant(server, { displayName: 'Contoso, Inc.' })
  const id = parseTenantId(tenantId)
  if (!id) throw new Error('a tenant has an id')
  tenant = { tenantId: id, apiKey }
  path = `/api/platform/tenants/${tenantId}`
})
afterAll(() => server.close())

const rows = () => ({
  tenantRows: tenantTable<Columns>(server.storage.table('billing')),
  platformRows: platformTable<Columns>(server.storage.table('billing')),
})

/** A day of usage, closed, as the timer leaves it. */
async function closedDay(day: Day, costMicroUsd: number): Promise<void> {
  const items = itemsOf(
    [itemGroup({ alias: 'chat' }, { promptTokens: 90, outputTokens: 10, costMicroUsd })],
    () => 'metered',
  )
  const billing = createBillingRows(rows())
  await billing.noteBilled(periodOf(day), tenant.tenantId)
  await billing.putSheet(TenantScope.ofPlatform(tenant.tenantId), { day, items, provisioned: [] })
}

describe('the price book', () => {
  it('is shown with the built-in lists, their dates and sources, and replaced by who names its version', async () => {
    const shown = expectStatus(await server.operate('GET', '/api/platform/prices'), 200)
    expect(shown.headers.get('etag')).toBe('"0"')
    expect(shown.body.entries).toEqual([])
    expect(shown.body.builtIn.map(({ of, asOf }: { of: string; asOf: string }) => [of, /^20\d\d-/.test(asOf)])).toEqual(
      [
        ['tokens', true],
        ['training', true],
        ['hosting', true],
      ],
    )
    const entry = {
      kind: 'tokens',
      model: 'gpt-4.1',
      input: 1,
      output: 2,
      from: '2026-02-01',
      asOf: '2026-01-30',
      source: 'a contract',
    }
    const put = (entries: object[], ifMatch: string) =>
      server.operate('PUT', '/api/platform/prices', { entries }, { 'if-match': ifMatch })
    expectStatus(await put([entry], '"0"'), 200)
    expectStatus(await put([], '"0"'), 412)
    const overlapping = await put([entry, { ...entry, from: '2026-03-01' }], '"1"')
    expect(expectStatus(overlapping, 400).body.detail).toBe(
      'entries.1.from: Overlaps entries.0: tokens of gpt-4.1 from 2026-02-01 and tokens of gpt-4.1 from 2026-03-01',
    )
    expect((await server.operate('GET', '/api/platform/prices')).body).toMatchObject({ entries: [entry], version: 1 })
  })
})

describe('a tenant’s bill', () => {
  it('is drafted by its plan, credited, issued when its month is closed, and shown to itself and to operators', async () => {
    const plan = { kind: 'per-token', markUpBasisPoints: 5_000 }
    const set = await server.operate('PUT', `${path}/plan`, { from: '2026-01-01', plan }, anyVersion)
    expect(expectStatus(set, 200).body.now).toMatchObject({
      kind: 'per-token',
      markUpBasisPoints: 5_000,
      ownAccount: 'free',
    })
    const credit = { kind: 'credit', microUsd: 300, reason: '=an outage', period: '2026-01' }
    const sent = () => server.operate('POST', `${path}/credits`, credit, { 'idempotency-key': 'once' })
    const given = expectStatus(await sent(), 201).body
    expect(expectStatus(await sent(), 201).body).toEqual(given)
    expect((await server.operate('GET', `${path}/credits`)).body.credits).toEqual([given])

    await closedDay('2026-01-30', 1_000)
    await createClosing({ rows: rows().platformRows, clock: server.clock }).advance({ openDay: '2026-01-31' })
    const own = (query = '') => server.send('GET', `/api/tenant/invoices/2026-01${query}`, { apiKey: tenant.apiKey })
    expect(expectStatus(await own(), 200).body).toMatchObject({
      state: 'draft',
      totalMicroUsd: 1_200,
      billedTo: 'Contoso, Inc.',
    })
    const early = await server.operate('POST', `${path}/invoices/2026-01/issue`)
    expect(expectStatus(early, 409).body.detail).toContain('The month 2026-01 is not closed')

    await server.clock.advance(4 * DAY)
    await createClosing({ rows: rows().platformRows, clock: server.clock }).advance({ openDay: '2026-02-01' })
    const issued = expectStatus(await server.operate('POST', `${path}/invoices/2026-01/issue`), 200).body
    expect(issued).toMatchObject({ state: 'issued', totalMicroUsd: 1_200, issuedAt: '2026-02-03T00:00:00.000Z' })
    expect(expectStatus(await server.operate('POST', `${path}/invoices/2026-01/issue`), 200).body).toEqual(issued)
    expect((await own()).body).toEqual(issued)
    expect((await server.operate('GET', `${path}/invoices/2026-01`)).body).toEqual({
      invoice: issued,
      verification: { sameSheets: true, sameInvoice: true },
    })
    const { lines, ...head } = issued
    expect(lines).toHaveLength(2)
    const list = await server.send('GET', '/api/tenant/invoices', { apiKey: tenant.apiKey })
    expect(expectStatus(list, 200).body).toEqual({ invoices: [head] })
    expect((await server.operate('GET', '/api/platform/invoices?period=2026-01')).body.invoices).toMatchObject([
      { tenantId: tenant.tenantId, totalMicroUsd: 1_200, revenueMicroUsd: 1_200, costMicroUsd: 1_000 },
    ])
    const refused = await server.operate('PUT', `${path}/plan`, { from: '2026-01-31', plan }, anyVersion)
    expect(expectStatus(refused, 400).body.detail).toContain('2026-01 has its invoice already')
  })

  it('comes as comma-separated values, ours and those of FOCUS, which no spreadsheet takes for formulas', async () => {
    const csv = async (format: string) => {
      const response = await fetch(`${server.url}/api/tenant/invoices/2026-01?format=${format}`, {
        headers: { 'api-key': tenant.apiKey },
      })
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/csv; charset=utf-8'])
      return (await response.text()).trimEnd().split('\r\n')
    }
    const id = `2026-01/${tenant.tenantId}`
    expect(await csv('csv')).toEqual([
      'invoice,state,kind,text,from,to,alias,model,of,quantity,unit,listUsd,usd',
      `${id},issued,inference,"chat (gpt-4.1), tokens at list price, +50 %",2026-01-30,2026-02-01,chat,gpt-4.1,,100,tokens,0.001000,0.001500`,
      expect.stringMatching(
        /,issued,credit,'=an outage \(2026-01\),2026-01-01,2026-02-01,,,crd_\w+,1,usd,0\.000000,-0\.000300$/,
      ),
    ])
    const [names = '', first = ''] = await csv('focus')
    const columns = names.split(',')
    // The commas of the one quoted field are not between fields.
    const fields = first.replace(/"[^"]*"/, (text) => text.replaceAll(',', ';')).split(',')
    expect(Object.fromEntries(columns.map((name, i) => [name, fields[i]]))).toMatchObject({
      BilledCost: '0.001500',
      BillingAccountId: tenant.tenantId,
      BillingAccountName: '"Contoso; Inc."',
    })
  })

  it('is nobody’s before the tenant, nor in the future; a month that is none is nothing', async () => {
    const own = (month: string) => server.send('GET', `/api/tenant/invoices/${month}`, { apiKey: tenant.apiKey })
    expect((await own('2025-12')).status).toBe(404)
    expect((await own('2026-09')).body.detail).toBe('The month 2026-09 has not begun.')
    expect((await own('2026-13')).status).toBe(404)
    expect((await server.operate('GET', '/api/platform/margins?period=2026-09')).body.detail).toContain('has not begun')
    expect((await server.operate('POST', `${path}/invoices/2026-09/issue`)).status).toBe(404)
  })
})

describe('margins', () => {
  it('are shown page by page, and as comma-separated values', async () => {
    const { tenantId: other } = await createTenant(server, { displayName: 'Later' })
    await closedDay('2026-02-01', 2_000)
    await createClosing({ rows: rows().platformRows, clock: server.clock }).advance({ openDay: '2026-02-02' })
    const first = expectStatus(await server.operate('GET', '/api/platform/margins?period=2026-02&limit=1'), 200).body
    expect(first).toMatchObject({
      margins: [
        {
          tenantId: tenant.tenantId,
          revenueMicroUsd: 3_000,
          marginMicroUsd: 1_000,
          isUnprofitable: false,
          isIssued: false,
        },
      ],
      next: tenant.tenantId,
      idleProvisionedMicroUsd: 0,
    })
    const rest = await server.operate('GET', `/api/platform/margins?period=2026-02&limit=1&after=${first.next}`)
    expect(expectStatus(rest, 200).body.margins).toMatchObject([{ tenantId: other, marginMicroUsd: 0 }])
    const unprofitable = await server.operate('GET', '/api/platform/margins?period=2026-02&unprofitable=true')
    expect(expectStatus(unprofitable, 200).body.margins).toEqual([])
    const response = await fetch(`${server.url}/api/platform/margins?period=2026-02&limit=1&format=csv`, {
      headers: { authorization: 'Bearer operator-token-of-the-tests' },
    })
    expect(response.headers.get('link')).toContain(`after=${tenant.tenantId}`)
    expect((await response.text()).split('\r\n')[1]).toBe(
      `${tenant.tenantId},"Contoso, Inc.",false,0.003000,0.002000,0.000000,0.000000,0.000000,0.000000,0.002000,0.001000,false`,
    )
  })
})
