import type { BatchId } from '../../src/base/ids'
import { Problem, ProblemError } from '../../src/base/problem'
import type { TenantScope } from '../../src/storage/tenant-scope'
import { runningSimulator } from '../local/simulator/running'
import { BACKEND, batchDeployments, batchWorld, POLL_MS, requestLine, type BatchWorld } from './batch-world'

const simulator = runningSimulator({ deployments: batchDeployments })
const HOUR_MS = 3_600_000

let world: BatchWorld
let scope: TenantScope
beforeEach(async () => {
  await simulator.send('POST', '/simulator/reset')
  await simulator.patch({
    batches: { validatingMs: 0, linesPerSecond: 0, finalizingMs: 0 },
    storedFaults: { 'batches.create': [], 'batches.retrieve': [], 'files.create': [], 'files.content': [] },
    deployments: { night: { admission: { kind: 'batch', enqueuedTokensMax: 1_000_000 } } },
  })
  world = await batchWorld(simulator)
  scope = await world.addTenant()
})
afterEach(() => world.close())

const three = [
  requestLine('one', '[[echo:First]]'),
  requestLine('two', '[[echo:Second]]', { max_tokens: 50 }),
  requestLine('bad', '[[fault:status:500]]'),
].join('\n')

async function ordered(text = three): Promise<BatchId> {
  return world.order(scope, { inputFileId: await world.upload(scope, text) })
}

/** What the accounts keep that is not over. */
const leftUpstream = async () =>
  (await simulator.things()).filter(
    ({ collection, status }) =>
      collection === 'files' || (collection === 'batches' && !['completed', 'failed', 'cancelled'].includes(status)),
  )

/** What our log says of the batch, beside what the simulator charged for it. */
async function accounts(id: BatchId, since: number) {
  const lines = await world.logged()
  const ours = lines.flatMap((line) =>
    line.kind === 'settled' && line.intent.requestId === id ? [line.settlement.usage] : [],
  )
  const { records } = await simulator.ledger(since)
  const theirs = records.filter(({ work }) => work === 'batch-line')
  const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0)
  return {
    ours: {
      calls: ours.length,
      prompt: sum(ours.map(({ promptTokens }) => promptTokens)),
      output: sum(ours.map(({ outputTokens }) => outputTokens)),
    },
    theirs: {
      calls: theirs.length,
      prompt: sum(theirs.map(({ promptTokens }) => promptTokens)),
      output: sum(theirs.map(({ outputTokens }) => outputTokens)),
    },
  }
}

describe('a batch', () => {
  it('ends with its answers in files of its tenant, each line metered once at half price, and nothing left at the account', async () => {
    const { last } = await simulator.ledger()
    const id = await ordered()
    await world.run(scope, id)
    const shown = await world.shown(scope, id)
    expect(shown).toMatchObject({ status: 'completed', request_counts: { total: 3, completed: 2, failed: 1 } })
    const output = (await world.textOf(scope, shown.output_file_id)) ?? ''
    const answers = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const told = answers.map(({ custom_id, response }) => [custom_id, response.body.choices[0].message.content])
    expect(Object.fromEntries(told)).toEqual({ one: 'First', two: 'Second' })
    expect(await world.textOf(scope, shown.error_file_id)).toContain('"custom_id":"bad"')
    const { ours, theirs } = await accounts(id, last)
    expect(ours).toEqual(theirs)
    expect(ours.calls).toBe(3)
    const [line] = (await world.logged()).filter((entry) => entry.kind === 'settled')
    if (line?.kind !== 'settled') throw new Error('a settled line')
    const { promptTokens, outputTokens } = line.settlement.usage
    expect(line.settlement.costMicroUsd).toBe(Math.round((promptTokens * 0.4 + outputTokens * 1.6) / 2))
    expect(await leftUpstream()).toEqual([])
  })

  it('sends no line without a bound on its output', async () => {
    const id = await ordered(requestLine('one', '[[tokens:500]]'))
    await world.run(scope, id)
    const shown = await world.shown(scope, id)
    expect(await world.textOf(scope, shown.output_file_id)).toContain('"completion_tokens":100')
  })

  it('that is not sound fails with the faults of its lines, and nothing is sent', async () => {
    const { last } = await simulator.ledger()
    const id = await ordered(`${requestLine('one', 'Hi')}\nno json\n${requestLine('one', 'Hi')}`)
    await world.run(scope, id)
    expect(await world.shown(scope, id)).toMatchObject({
      status: 'failed',
      errors: {
        object: 'list',
        data: [
          { code: 'invalid_json_line', line: 2 },
          { code: 'duplicate_custom_id', line: 3 },
        ],
      },
      output_file_id: null,
    })
    expect((await simulator.ledger(last)).records).toEqual([])
  })

  it('costs its budgets what it used, and holds what it may use until then', async () => {
    const budgets = { tokensPerDay: { limit: 1_000, stop: true } }
    scope = await world.addTenant({ budgets })
    await simulator.patch({ batches: { validatingMs: 1 } })
    const id = await ordered()
    let reservedWhileRunning = 0
    await world.run(scope, id, (step) => {
      if (step !== 'run') return
      void world.budgets.read(scope, { kind: 'tenant' }).then((row) => {
        const [holder] = [...(row?.state.holders.values() ?? [])]
        reservedWhileRunning = holder?.lease.tokens ?? 0
      })
    })
    expect(reservedWhileRunning).toBeGreaterThan(250)
    const { state } = (await world.budgets.read(scope, { kind: 'tenant' })) ?? {}
    expect(state?.holders.size).toBe(0)
    const record = await world.store.get(scope, id)
    expect(state?.spent.map(({ tokens, microUsd }) => ({ tokens, microUsd }))).toEqual([record?.metering?.used])
  })

  it('fails with insufficient_quota where its budgets have too little, and nothing is sent', async () => {
    const { last } = await simulator.ledger()
    scope = await world.addTenant({ budgets: { microUsdPerMonth: { limit: 1, stop: true } } })
    const id = await ordered()
    await world.run(scope, id)
    expect(await world.shown(scope, id)).toMatchObject({
      status: 'failed',
      errors: { data: [{ code: 'insufficient_quota' }] },
    })
    expect((await simulator.ledger(last)).records).toEqual([])
  })

  it('waits where the account has as many tokens enqueued as may be, and runs when there is room', async () => {
    await simulator.patch({ deployments: { night: { admission: { kind: 'batch', enqueuedTokensMax: 1 } } } })
    const id = await ordered()
    let asks = 0
    await world.run(scope, id, (step) => {
      if (step !== 'run' || ++asks !== 3) return
      void simulator.patch({ deployments: { night: { admission: { kind: 'batch', enqueuedTokensMax: 100_000 } } } })
    })
    expect(asks).toBeGreaterThan(3)
    expect(await world.shown(scope, id)).toMatchObject({ status: 'completed' })
  })

  it('expires where there is no room for it within its window', async () => {
    await simulator.patch({ deployments: { night: { admission: { kind: 'batch', enqueuedTokensMax: 1 } } } })
    const id = await ordered()
    const { elapsedMs } = await world.run(scope, id)
    expect(elapsedMs).toBeLessThan(25 * HOUR_MS)
    expect(await world.shown(scope, id)).toMatchObject({
      status: 'expired',
      errors: { data: [{ code: 'batch_expired' }] },
    })
    expect(await leftUpstream()).toEqual([])
  })

  it('is made at the account once though the answer to its making is lost', async () => {
    await simulator.patch({ storedFaults: { 'batches.create': [{ kind: 'cut', next: 1 }] } })
    const { last } = await simulator.ledger()
    const id = await ordered()
    await world.run(scope, id)
    expect(await world.shown(scope, id)).toMatchObject({ status: 'completed' })
    const { ours, theirs } = await accounts(id, last)
    expect(ours).toEqual(theirs)
    expect(theirs.calls).toBe(3)
    const operations = (await simulator.ledger(last)).records.map(({ operation }) => operation)
    expect(operations.filter((name) => name === 'batches.create' || name === 'batches.list')).toEqual([
      'batches.create',
      'batches.list',
    ])
  })

  it('goes on through an account that does not answer, and files that break off', async () => {
    await simulator.patch({
      storedFaults: {
        'files.create': [{ kind: 'status:503', next: 2 }],
        'batches.create': [{ kind: 'status:500', next: 1 }],
        'batches.retrieve': [{ kind: 'reset', next: 2 }],
        'files.content': [{ kind: 'cut', next: 2 }],
      },
    })
    const { last } = await simulator.ledger()
    const id = await ordered()
    await world.run(scope, id)
    expect(await world.shown(scope, id)).toMatchObject({ status: 'completed' })
    const { ours, theirs } = await accounts(id, last)
    expect(ours).toEqual(theirs)
    expect(await leftUpstream()).toEqual([])
  })

  it('shows its end only when its usage is in the log', async () => {
    const id = await ordered()
    const seen: string[] = []
    const looking: Promise<unknown>[] = []
    await world.run(scope, id, (step) => {
      if (['collect', 'settle'].includes(step))
        looking.push(world.shown(scope, id).then(({ status }) => seen.push(status)))
    })
    await Promise.all(looking)
    expect(seen).toEqual(['finalizing', 'finalizing'])
  })

  it('counts once though its claim is closed while it is metered', async () => {
    const { last } = await simulator.ledger()
    let late = true
    await world.close()
    world = await batchWorld(simulator)
    scope = await world.addTenant()
    const { record } = world.deps.lateUsage
    Object.assign(world.deps, {
      lateUsage: {
        record: async (...[claim, entries]: Parameters<typeof record>) => {
          if (!late) return record(claim, entries)
          late = false
          // Written whole, but nobody heard so; when it is repeated the claim is too old.
          await record(claim, entries)
          world.pass(3 * HOUR_MS)
          throw new Error('storage did not answer')
        },
      },
    })
    const id = await ordered()
    await world.run(scope, id)
    const { ours, theirs } = await accounts(id, last)
    expect(ours).toEqual(theirs)
    expect((await world.store.get(scope, id))?.metering?.used?.tokens).toBe(theirs.prompt + theirs.output)
  })
})

describe('a batch whose checklist gives up', () => {
  it.each([
    ['while it runs', 'batches.retrieve'],
    ['when it is over', 'files.content'],
  ])('%s has failed, holds nothing any more, and leaves nothing at the account', async (_, operation) => {
    scope = await world.addTenant({ budgets: { tokensPerDay: { limit: 10_000, stop: true } } })
    await simulator.patch({ batches: { linesPerSecond: 10 } })
    const id = await ordered(Array.from({ length: 50 }, (_line, n) => requestLine(`task-${n}`, 'Hi')).join('\n'))
    const { accounts: asked, outputs } = world.deps
    const final = () => Promise.reject(new ProblemError(new Problem('invalid_request', 'A defect.')))
    let calls = 0
    if (operation === 'batches.retrieve')
      Object.assign(world.deps, {
        accounts: {
          ...asked,
          get: (...args: Parameters<typeof asked.get>) => (++calls === 3 ? final() : asked.get(...args)),
        },
      })
    else Object.assign(world.deps, { outputs: { ...outputs, content: final } })
    const { output } = await world.run(scope, id)
    expect(output).toMatchObject({ state: 'undone' })
    const shown = await world.shown(scope, id)
    expect(shown).toMatchObject({
      status: 'failed',
      output_file_id: null,
      errors: { data: [{ code: 'internal_error' }] },
    })
    expect(await leftUpstream()).toEqual([])
    expect((await world.budgets.read(scope, { kind: 'tenant' }))?.state.holders.size).toBe(0)
    expect(await world.deps.lanes.census(scope.tenantId)).toBe(0)
  })
})

describe('a batch that is cancelled', () => {
  it('before anything was sent is over at once, and is never sent', async () => {
    const { last } = await simulator.ledger()
    const id = await ordered()
    await world.batches.cancel(scope, id)
    expect(await world.shown(scope, id)).toMatchObject({ status: 'cancelled', cancelled_at: expect.any(Number) })
    await world.run(scope, id)
    expect(await world.shown(scope, id)).toMatchObject({ status: 'cancelled' })
    expect((await simulator.ledger(last)).records).toEqual([])
  })

  it('while it runs ends with the answers that it has, metered, and nothing left at the account', async () => {
    await simulator.patch({ batches: { linesPerSecond: 10 } })
    const { last } = await simulator.ledger()
    const id = await ordered(Array.from({ length: 200 }, (_, n) => requestLine(`task-${n}`, '[[tokens:3]]')).join('\n'))
    let runs = 0
    await world.run(scope, id, (step) => {
      if (step === 'run' && ++runs === 12) void world.batches.cancel(scope, id)
    })
    const shown = await world.shown(scope, id)
    expect(shown).toMatchObject({ status: 'cancelled', cancelling_at: expect.any(Number) })
    const { ours, theirs } = await accounts(id, last)
    expect(ours).toEqual(theirs)
    expect(ours.calls).toBeLessThan(200)
    const output = await world.textOf(scope, shown.output_file_id)
    expect((output ?? '').split('\n').filter((line) => line !== '')).toHaveLength(ours.calls)
    expect(await leftUpstream()).toEqual([])
  })

  it('when it is over already says so', async () => {
    const id = await ordered()
    await world.run(scope, id)
    expect(await world.batches.cancel(scope, id)).toMatchObject({ code: 'conflict' })
  })

  it('between the order and its answer is called back', async () => {
    await simulator.patch({
      batches: { linesPerSecond: 5 },
      storedFaults: { 'batches.create': [{ kind: 'cut', next: 1 }] },
    })
    const id = await ordered(Array.from({ length: 100 }, (_, n) => requestLine(`task-${n}`, 'Hi')).join('\n'))
    let runs = 0
    await world.run(scope, id, (step) => {
      if (step === 'run' && ++runs === 2) void world.batches.cancel(scope, id)
    })
    expect(await world.shown(scope, id)).toMatchObject({ status: 'cancelled' })
    expect(await leftUpstream()).toEqual([])
  })
})

describe('a tenant', () => {
  const change = (state: 'active' | 'suspended' | 'offboarding') => {
    const tenant = world.tenants.get(scope.tenantId)
    if (tenant) world.tenants.set(scope.tenantId, { ...tenant, state })
  }

  it('that is suspended has its new batches wait, and those that run go on', async () => {
    const waits = await ordered()
    change('suspended')
    let checks = 0
    const { elapsedMs } = await world.run(scope, waits, (step) => {
      if (step === 'check' && ++checks === 4) change('active')
    })
    expect(elapsedMs).toBeGreaterThan(2 * POLL_MS)
    expect(await world.shown(scope, waits)).toMatchObject({ status: 'completed' })

    await simulator.patch({ batches: { linesPerSecond: 50 } })
    const runs = await ordered()
    let looks = 0
    await world.run(scope, runs, (step) => {
      if (step === 'run' && ++looks === 2) change('suspended')
    })
    expect(await world.shown(scope, runs)).toMatchObject({ status: 'completed', request_counts: { completed: 2 } })
  })

  it('that leaves has its batches called back', async () => {
    await simulator.patch({ batches: { linesPerSecond: 10 } })
    const { last } = await simulator.ledger()
    const id = await ordered(Array.from({ length: 200 }, (_, n) => requestLine(`task-${n}`, 'Hi')).join('\n'))
    let looks = 0
    await world.run(scope, id, (step) => {
      if (step === 'run' && ++looks === 6) change('offboarding')
    })
    expect(await world.store.get(scope, id)).toMatchObject({ status: 'cancelled' })
    const { ours, theirs } = await accounts(id, last)
    expect(ours).toEqual(theirs)
    expect(await leftUpstream()).toEqual([])
  })

  it('has its batches served where its data may be only', async () => {
    const tenant = world.tenants.get(scope.tenantId)
    if (tenant) world.tenants.set(scope.tenantId, { ...tenant, residency: ['germanywestcentral'] })
    const id = await ordered()
    await world.run(scope, id)
    expect(await world.shown(scope, id)).toMatchObject({ status: 'expired' })
  })

  it('has its batch run to its end though its backend is removed meanwhile', async () => {
    await simulator.patch({ batches: { linesPerSecond: 50 } })
    const id = await ordered()
    let looks = 0
    await world.run(scope, id, (step) => {
      if (step === 'run' && ++looks === 2) world.backends.delete(BACKEND)
    })
    expect(await world.shown(scope, id)).toMatchObject({ status: 'completed', request_counts: { completed: 2 } })
    expect(await leftUpstream()).toEqual([])
  })
})

describe('a process that dies', () => {
  const steps = ['check', 'reserve', 'turn', 'stage', 'run', 'meter', 'collect', 'settle', 'clear']
  class Killed extends Error {}

  it.each(
    steps.flatMap((step) => [
      { step, when: 'before' },
      { step, when: 'after' },
    ]),
  )('$when the step $step: the batch ends all the same, metered once, with nothing left', async ({ step, when }) => {
    scope = await world.addTenant({ budgets: { tokensPerDay: { limit: 10_000, stop: true } } })
    const { last } = await simulator.ledger()
    const id = await ordered()
    const die = (at: string) => {
      if (at === step) throw new Killed()
    }
    const none = () => {}
    const dying = when === 'before' ? world.run(scope, id, die) : world.run(scope, id, none, die)
    await expect(dying).rejects.toThrow(Killed)
    await world.run(scope, id)
    expect(await world.shown(scope, id)).toMatchObject({ status: 'completed', request_counts: { completed: 2 } })
    const { ours, theirs } = await accounts(id, last)
    expect(ours).toEqual(theirs)
    expect(theirs.calls).toBe(3)
    expect(await leftUpstream()).toEqual([])
    const outputs = await world.files.list(scope, { purpose: 'batch_output', limit: 10, order: 'asc' })
    expect('files' in outputs && outputs.files).toHaveLength(2)
    const { state } = (await world.budgets.read(scope, { kind: 'tenant' })) ?? {}
    expect(state?.holders.size).toBe(0)
  })
})
