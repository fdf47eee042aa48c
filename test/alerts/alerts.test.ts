import { TELL, TELL_END } from '../../src/alerts/alert-rows'
import { alertStorage, createAlerts, type RaisedAlert, type UntoldAlert } from '../../src/alerts/alerts'
import { endOrphans } from '../../src/alerts/end-orphans'
import { createRemoveOldAlerts } from '../../src/alerts/remove-old-alerts'
import { removeTenantAlerts } from '../../src/alerts/remove-tenant-alerts'
import type { TenantId } from '../../src/base/ids'
import { fromJsonColumns } from '../../src/storage/json-columns'
import { platformTable } from '../../src/storage/platform-table'
import type { Columns } from '../../src/storage/partition-table'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'

const TENANT: TenantId = 'ten_00000000000000000000000001'
const OTHER: TenantId = 'ten_00000000000000000000000002'
const MINUTE_MS = 60_000

/** A table of its own for each test, as two instances of the app have it. */
async function aTable() {
  const storage = freshStorage()
  await storage.ensure(alertStorage)
  const clock = handClock()
  const rows = platformTable<Columns>(storage.table('alerts'))
  const [alerts, elsewhere] = [createAlerts({ rows, clock }), createAlerts({ rows, clock })]
  const ids = async (page: Partial<Parameters<typeof alerts.page>[0]> = {}) =>
    (await alerts.page({ after: undefined, limit: 100, ...page })).map(({ id }) => id)
  const untold = async () => {
    const found: string[] = []
    for await (const { columns } of rows.range(TELL, TELL_END)) {
      const { alert, event } = fromJsonColumns<UntoldAlert>(columns)
      found.push(`${event} ${alert.id}`)
    }
    return found
  }
  return { storage, clock, rows, alerts, elsewhere, ids, untold }
}

const some = (id: string, more: Partial<RaisedAlert> = {}): RaisedAlert => ({
  id,
  kind: 'recovery-lag',
  severity: 'warning',
  tenantId: undefined,
  title: `title of ${id}`,
  detail: 'a detail',
  ...more,
})

it('raised by many at once is one alert, seen as often, and told once', async () => {
  const { alerts, elsewhere, untold } = await aTable()
  await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      (index % 2 ? alerts : elsewhere).raise(some('a/flood', { tenantId: TENANT })),
    ),
  )
  const found = await alerts.page({ after: undefined, limit: 10 })
  expect(found).toMatchObject([{ id: 'a/flood', state: 'open', episode: 1, timesSeen: 8 }])
  expect(await untold()).toEqual(['opened a/flood'])
})

it('raised once stays as it was, whoever raises it then, resolved or not', async () => {
  const { alerts, elsewhere, untold } = await aTable()
  await Promise.all([alerts.raiseOnce(some('a/1')), elsewhere.raiseOnce(some('a/1')), alerts.raiseOnce(some('a/1'))])
  await alerts.resolve('a/1')
  await alerts.raiseOnce(some('a/1'))
  expect(await alerts.get('a/1')).toMatchObject({ state: 'resolved', timesSeen: 1, episode: 1 })
  expect(await untold()).toEqual(['opened a/1', 'resolved a/1'])
})

it('resolved and raised at once by two ends in one of both, listed once', async () => {
  const { alerts, elsewhere, ids } = await aTable()
  await alerts.raise(some('a/1'))
  for (let round = 0; round < 5; round++) await Promise.all([alerts.resolve('a/1'), elsewhere.raise(some('a/1'))])
  expect(await ids()).toEqual(['a/1'])
  const { state, history } = (await alerts.get('a/1')) ?? { history: [] }
  expect(history.at(-1)?.to).toBe(state)
})

it('what is not over is listed first, the worst first and of those the newest; what is over last', async () => {
  const { alerts, clock, ids } = await aTable()
  for (const [id, severity] of [
    ['n/1', 'notice'],
    ['c/1', 'critical'],
    ['w/1', 'warning'],
    ['c/2', 'critical'],
    ['w/2', 'warning'],
  ] as const) {
    await alerts.raise(some(id, { severity }))
    await clock.advance(MINUTE_MS)
  }
  await alerts.resolve('c/2')
  await clock.advance(MINUTE_MS)
  await alerts.resolve('w/1')
  expect(await ids()).toEqual(['c/1', 'w/2', 'n/1', 'w/1', 'c/2'])
  // Raised again it is back among the others, and only there.
  await clock.advance(MINUTE_MS)
  await alerts.raise(some('c/2', { severity: 'notice' }))
  expect(await ids()).toEqual(['c/1', 'w/2', 'c/2', 'n/1', 'w/1'])
})

it('pages hold each alert once, in their order, while others are raised and seen again', async () => {
  const { alerts, clock, ids } = await aTable()
  for (let number = 0; number < 7; number++) {
    await alerts.raise(some(`a/${number}`))
    await clock.advance(1_000)
  }
  const read: string[] = []
  let after: string | undefined
  for (;;) {
    const page = await alerts.page({ after, limit: 3 })
    read.push(...page.map(({ id }) => id))
    after = page.at(-1)?.cursor
    if (page.length < 3) break
    await alerts.raise(some('a/3'))
    await alerts.raise(some(`newer/${read.length}`))
  }
  expect(read).toEqual(['a/6', 'a/5', 'a/4', 'a/3', 'a/2', 'a/1', 'a/0'])
  expect(await ids({ after: 'zzz' })).toEqual([])
})

it('lists are narrowed by state, kind and tenant', async () => {
  const { alerts, ids } = await aTable()
  await alerts.raise(some('a/1', { tenantId: TENANT }))
  await alerts.raise(some('a/2', { tenantId: OTHER, kind: 'model-drift' }))
  await alerts.raise(some('a/3', { tenantId: TENANT, kind: 'model-drift' }))
  await alerts.acknowledge('a/1', { by: 'somebody' })
  await alerts.mitigate('a/3', 'held off')
  expect(await ids({ state: 'open' })).toEqual(['a/2'])
  expect(await ids({ state: 'acknowledged' })).toEqual(['a/1'])
  expect(await ids({ state: 'mitigated', tenantId: TENANT })).toEqual(['a/3'])
  expect(await ids({ state: 'resolved' })).toEqual([])
  expect((await ids({ kind: 'model-drift' })).toSorted()).toEqual(['a/2', 'a/3'])
  // One that changes its kind is found by the new one.
  await alerts.raise(some('a/2', { tenantId: OTHER, kind: 'recovery-loss' }))
  expect(await ids({ kind: 'recovery-loss' })).toEqual(['a/2'])
  expect(await ids({ kind: 'model-drift' })).toEqual(['a/3'])
})

it('a tenant sees what is for its people, and nothing else of itself or of others', async () => {
  const { alerts, ids } = await aTable()
  await alerts.raise(some('mine/shown', { tenantId: TENANT, audience: 'tenant' }))
  await alerts.raise(some('mine/kept', { tenantId: TENANT }))
  await alerts.raise(some('theirs/shown', { tenantId: OTHER, audience: 'tenant' }))
  expect(await ids({ seenBy: TENANT })).toEqual(['mine/shown'])
  // A cursor of another list does not lead out of one's own.
  const [cursor] = (await alerts.page({ seenBy: OTHER, after: undefined, limit: 1 })).map((each) => each.cursor)
  expect(await ids({ seenBy: TENANT, after: cursor })).toEqual([])
  expect(await ids({ seenBy: OTHER, after: 'live-0-0' })).toEqual(['theirs/shown'])
  await alerts.resolve('mine/shown')
  expect(await ids({ seenBy: TENANT, state: 'resolved' })).toEqual(['mine/shown'])
})

it('an id is the same with its slashes percent-encoded, as a path may have it', async () => {
  const { alerts } = await aTable()
  await alerts.raise(some('budget/ten_1/key/50'))
  expect(await alerts.acknowledge('budget%2Ften_1%2fkey/50', { by: 'somebody', note: 'looking' })).toMatchObject({
    id: 'budget/ten_1/key/50',
    state: 'acknowledged',
    history: [{ to: 'open' }, { to: 'acknowledged', by: 'somebody', note: 'looking' }],
  })
})

it('what nobody raised is neither acknowledged nor resolved, and makes nothing', async () => {
  const { alerts, ids } = await aTable()
  expect(await alerts.acknowledge('a/1', { by: 'somebody' })).toBeUndefined()
  expect(await alerts.close('a/1', { by: 'somebody' })).toBeUndefined()
  await alerts.resolve('a/1')
  await alerts.mitigate('a/1')
  expect(await ids()).toEqual([])
})

it('a tenant that goes takes along what it was shown; what operators alone saw stays', async () => {
  const { alerts, rows, storage, ids } = await aTable()
  await alerts.raise(some('mine/shown', { tenantId: TENANT, audience: 'tenant' }))
  await alerts.raise(some('mine/kept', { tenantId: TENANT }))
  expect(await removeTenantAlerts(rows, TENANT)).toBe(1)
  expect(await storage.platformRowsUnder('alerts', TENANT)).toBe(0)
  expect(await ids()).toEqual(['mine/kept'])
  expect(await alerts.get('mine/shown')).toBeUndefined()
})

it('states of a tenant that is gone are over, and what it left behind is not', async () => {
  const { alerts } = await aTable()
  await alerts.raise(some('incident/gone', { kind: 'sla-incident', tenantId: TENANT }))
  await alerts.raise(some('incident/there', { kind: 'sla-incident', tenantId: OTHER }))
  await alerts.raise(some('left/gone', { kind: 'tuning-left-behind', tenantId: TENANT }))
  await alerts.raise(some('platform', { kind: 'recovery-lag' }))
  const tenantOf = (id: TenantId) => (id === OTHER ? {} : undefined)
  expect(await endOrphans({ alerts, tenantOf })).toBe(1)
  expect(await endOrphans({ alerts, tenantOf })).toBe(0)
  const states = ['incident/gone', 'incident/there', 'left/gone', 'platform'].map(
    async (id) => (await alerts.get(id))?.state,
  )
  expect(await Promise.all(states)).toEqual(['resolved', 'open', 'open', 'open'])
})

it('what has been over for long is forgotten, and nothing that is not', async () => {
  const { alerts, rows, clock, ids } = await aTable()
  await alerts.raise(some('old/over', { tenantId: TENANT, audience: 'tenant' }))
  await alerts.raise(some('old/open'))
  await alerts.resolve('old/over')
  await clock.advance(MINUTE_MS)
  const resolvedBeforeMs = clock.now()
  await clock.advance(MINUTE_MS)
  await alerts.raise(some('newer/over'))
  await alerts.resolve('newer/over')
  await clock.advance(MINUTE_MS)
  const forget = createRemoveOldAlerts(rows)
  const asked = { resolvedBeforeMs, countMax: 10, isOver: () => false }
  expect(await forget({ ...asked, dry: true })).toBe(1)
  expect(await forget({ ...asked, dry: false })).toBe(1)
  expect(await forget({ ...asked, dry: false })).toBe(0)
  expect(await ids()).toEqual(['old/open', 'newer/over'])
  expect(await ids({ seenBy: TENANT })).toEqual([])
})
