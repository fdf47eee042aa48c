import { idempotencyBegunAt, createIdempotency } from '../../src/http/idempotency'
import { createAlerts } from '../../src/alerts/alerts'
import { createRemoveOldAlerts } from '../../src/alerts/remove-old-alerts'
import type { OrchestrationStatus } from '../../src/base/durable-steps'
import { systemChance } from '../../src/base/chance'
import { purgeDeadLetters } from '../../src/housekeeping/purge-dead-letters'
import { purgeIdempotency } from '../../src/housekeeping/purge-idempotency'
import { purgeOrchestrations } from '../../src/housekeeping/purge-orchestrations'
import { purgeResolvedAlerts } from '../../src/housekeeping/purge-resolved-alerts'
import type { Purge, PurgeTurn } from '../../src/housekeeping/purge'
import { poisonQueue } from '../../src/storage/dead-letters'
import { platformTable } from '../../src/storage/platform-table'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantTable, type Columns } from '../../src/storage/tenant-table'
import { handClock } from '../harness/hand-clock'
import { freshStorage } from '../harness/storage'

const DAY_MS = 86_400_000
const START_MS = Date.UTC(2026, 5, 1)
const storage = freshStorage()
beforeAll(
  () => storage.ensure({ tables: ['idempotency', 'alerts'], queues: ['begin', 'begin-poison', 'never'] }),
  30_000,
)

const noHost: PurgeTurn['orchestrations'] = {
  ended: async () => [],
  status: async () => undefined,
  purge: async () => {},
}
const turn = (more: Partial<PurgeTurn> = {}): PurgeTurn => ({
  dry: false,
  position: undefined,
  countMax: 1_000,
  isOver: () => false,
  orchestrations: noHost,
  ...more,
})
/** Pieces until the round is at its end; what each counted. */
async function round(purge: Purge, more: Partial<PurgeTurn> = {}): Promise<number[]> {
  const counts: number[] = []
  let position: string | undefined
  do {
    const piece = await purge.run(turn({ ...more, position }))
    counts.push(piece.count)
    position = piece.position
  } while (position !== undefined && counts.length < 100)
  return counts
}

describe('answers to creations', () => {
  const clock = handClock(START_MS)
  const tenantIds = [1, 2, 3].map((n) => `ten_${String(n).padStart(26, '0')}` as const)
  const rows = tenantTable<Columns>(storage.table('idempotency'))
  const platformRows = platformTable<Columns>(storage.table('idempotency'))
  const idempotency = createIdempotency({ clock, chance: systemChance(), secret: 'a'.repeat(32) })
  const partitions = [platformRows, ...tenantIds.map((id) => rows.partition(TenantScope.ofPlatform(id)))]
  const ask = (partition: (typeof partitions)[number], idempotencyKey: string) =>
    idempotency.once(
      { rows: partition, name: 'a creation', idempotencyKey, content: '{}', newSubject: () => 'subject' },
      async () => ({ status: 201, headers: {}, body: '' }),
    )
  const left = async () => {
    const counts: number[] = []
    for (const partition of partitions) counts.push((await Array.fromAsync(partition.range('', '~'))).length)
    return counts
  }
  const purge = purgeIdempotency({
    rows,
    platformRows,
    begunAt: idempotencyBegunAt,
    tenantIds: async function* () {
      yield* tenantIds
    },
    keptMs: 2 * DAY_MS,
    clock,
  })

  it('go when they are too old to be given again, in every partition; younger ones stay', async () => {
    for (const partition of partitions) for (const old of ['1', '2']) await ask(partition, old)
    await clock.jump(2 * DAY_MS)
    for (const partition of partitions) await ask(partition, 'young')
    expect(await round(purge, { dry: true })).toEqual([0])
    await clock.jump(1)
    expect(await round(purge, { dry: true })).toEqual([8])
    expect(await left()).toEqual([3, 3, 3, 3])
    expect(await round(purge)).toEqual([8])
    expect(await left()).toEqual([1, 1, 1, 1])
    expect(await round(purge)).toEqual([0])
  })

  it('go in pieces that are bounded, each tenant’s once', async () => {
    await clock.jump(3 * DAY_MS)
    const counts = await round(purge, { countMax: 2 })
    expect(counts.every((count) => count <= 2)).toBe(true)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4)
    expect(await left()).toEqual([0, 0, 0, 0])
  })
})

describe('what the host keeps of checklists', () => {
  const clock = handClock(START_MS)
  const purge = purgeOrchestrations({ keptMs: 90 * DAY_MS, clock })
  /** A host that keeps what it is told, each with the times of its beginning and its last change. */
  function host(instances: Readonly<Record<string, readonly [beganMs: number, endedMs: number | undefined]>>) {
    const kept = new Map(Object.entries(instances))
    const stateOf = (endedMs: number | undefined): OrchestrationStatus['state'] =>
      endedMs === undefined ? 'running' : 'completed'
    return {
      kept,
      orchestrations: {
        ended: async ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
          [...kept]
            .filter(([, [began, ended]]) => ended !== undefined && began >= fromMs && began < toMs)
            .map(([instanceId]) => ({ instanceId, input: {} })),
        status: async (id: string) => {
          const found = kept.get(id)
          if (!found) return undefined
          const [createdAt, endedAt] = found
          const times = { createdAt, updatedAt: endedAt ?? clock.now() }
          return { state: stateOf(endedAt), input: {}, status: {}, output: {}, ...times }
        },
        purge: async (id: string) => void kept.delete(id),
      } satisfies PurgeTurn['orchestrations'],
    }
  }
  const daysAgo = (days: number) => START_MS - days * DAY_MS

  it('goes when it ended long ago, and not because it began long ago', async () => {
    const { kept, orchestrations } = host({
      'long-over': [daysAgo(200), daysAgo(199)],
      'over-for-90-days': [daysAgo(91), daysAgo(90.1)],
      'ended-yesterday': [daysAgo(200), daysAgo(1)],
      'ended-on-the-border': [daysAgo(91), daysAgo(90)],
      'still-running': [daysAgo(300), undefined],
      young: [daysAgo(10), daysAgo(9)],
    })
    const dry = await round(purge, { dry: true, orchestrations })
    expect(dry.reduce((sum, count) => sum + count, 0)).toBe(2)
    expect(kept.size).toBe(6)
    await round(purge, { orchestrations })
    expect([...kept.keys()]).toEqual(['ended-yesterday', 'ended-on-the-border', 'still-running', 'young'])
  })

  it('goes in pieces that are bounded, and nothing is left out between them', async () => {
    const { kept, orchestrations } = host(
      Object.fromEntries(Array.from({ length: 25 }, (_, n) => [`op-${n}`, [daysAgo(150), daysAgo(149)]])),
    )
    const counts = await round(purge, { orchestrations, countMax: 10 })
    expect(counts.filter((count) => count > 0)).toEqual([10, 10, 5])
    expect(kept.size).toBe(0)
  })
})

describe('alerts', () => {
  it('go when they were resolved long ago; whatever is open, or was resolved lately, stays and can be raised again', async () => {
    const clock = handClock(START_MS)
    const rows = platformTable<Columns>(storage.table('alerts'))
    const alerts = createAlerts({ rows, clock })
    const removeOldAlerts = createRemoveOldAlerts(rows)
    const purge = purgeResolvedAlerts({ removeOldAlerts, keptMs: 90 * DAY_MS, clock })
    const raise = (id: string) =>
      alerts.raise({
        id,
        kind: 'rotation-due',
        severity: 'notice',
        tenantId: 'ten_00000000000000000000000001',
        audience: 'tenant',
        title: id,
        detail: '',
      })
    for (const id of ['over', 'back', 'open']) await raise(id)
    for (const id of ['over', 'back']) await alerts.resolve(id)
    await clock.jump(90 * DAY_MS - 1)
    await raise('back')
    await raise('late')
    await alerts.resolve('late')
    expect(await round(purge)).toEqual([0])
    await clock.jump(1)
    expect(await round(purge, { dry: true })).toEqual([1])
    expect(await alerts.get('over')).toBeDefined()
    expect(await round(purge)).toEqual([1])
    expect(await alerts.get('over')).toBeUndefined()
    const page = await alerts.page({ after: undefined, limit: 10 })
    expect(page.map(({ id }) => id).toSorted()).toEqual(['back', 'late', 'open'])
    const shown = await alerts.page({ after: undefined, limit: 10, seenBy: 'ten_00000000000000000000000001' })
    expect(shown.map(({ id }) => id).toSorted()).toEqual(['back', 'late', 'open'])
    await raise('over')
    expect(await alerts.get('over')).toMatchObject({ state: 'open', episode: 1 })
  })
})

describe('dead letters', () => {
  const queues = ['begin', 'never', 'nowhere'].map((name) => poisonQueue(storage, name))
  const at = (nowMs: number) => purgeDeadLetters({ queues, keptMs: 30 * DAY_MS, clock: handClock(nowMs) })
  const letters = async () => (await storage.queue('begin-poison').getProperties()).approximateMessagesCount

  it('go when they are old; queues that never had any are no error', async () => {
    const queue = storage.queue('begin-poison')
    for (let n = 0; n < 40; n++) await queue.sendMessage(Buffer.from(`{"n":${n}}`).toString('base64'))
    const writtenMs = Date.now()
    expect(await round(at(writtenMs + 29 * DAY_MS), { dry: true })).toEqual([0])
    expect(await round(at(writtenMs + 31 * DAY_MS), { dry: true })).toEqual([32])
    expect(await letters()).toBe(40)
    expect(await round(at(writtenMs + 31 * DAY_MS))).toEqual([40])
    expect(await letters()).toBe(0)
  })

  it('stay where they are while they are young', async () => {
    await storage.queue('begin-poison').sendMessage('e30=')
    expect(await round(at(Date.now() + DAY_MS))).toEqual([0])
    expect(await letters()).toBe(1)
  })
})
