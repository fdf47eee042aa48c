import type { DatasetId } from '../../src/base/ids'
import { newDriftState, type DriftPolicy, type DriftState } from '../../src/drift/drift-records'
import { planRetraining } from '../../src/drift/plan-retraining'
import { retrain } from '../../src/drift/retrain'
import { dataset, driftWorld } from './drift-world'

type World = Awaited<ReturnType<typeof driftWorld>>
type Trained = Awaited<ReturnType<World['trained']>>

const DAY_MS = 86_400_000
const NOW = Date.UTC(2026, 10, 21)
const by = 'key_00000000000000000000000000' as const
const start: DriftPolicy = {
  kind: 'start',
  perMonthMax: 1,
  allowed: { by, principal: { kind: 'key', keyId: by }, limits: undefined, atMs: NOW },
}
const newest: DatasetId = 'dts_00000000000000000000000000'
const started = { jobId: 'ftjob-1', datasetId: newest } as const

describe('what is done about a model that has drifted', () => {
  const plan = (state: Partial<DriftState>) => planRetraining({ ...newDriftState, ...state }, { newest, nowMs: NOW })

  it('is a proposal, said once, unless its tenant allows more', () => {
    expect(plan({})).toEqual({ kind: 'propose', why: 'policy' })
    expect(plan({ retraining: { kind: 'proposed', atMs: 0, why: 'policy' } })).toEqual({ kind: 'leave' })
  })

  it('is a training with the newest data where that is allowed', () => {
    expect(plan({ policy: start })).toMatchObject({ kind: 'start', datasetId: newest, jobId: undefined })
    expect(plan({ policy: start, retraining: { kind: 'proposed', atMs: 0, why: 'policy' } }).kind).toBe('start')
  })

  it('is a proposal where there is no newer data, or the month has had its trainings', () => {
    expect(planRetraining({ ...newDriftState, policy: start }, { newest: undefined, nowMs: NOW })).toEqual({
      kind: 'propose',
      why: 'no-newer-dataset',
    })
    expect(plan({ policy: start, starts: [NOW - 30 * DAY_MS] })).toEqual({ kind: 'propose', why: 'monthly-maximum' })
    expect(plan({ policy: start, starts: [NOW - 31 * DAY_MS] }).kind).toBe('start')
  })

  it('is nothing more once a training was started, or while somebody starts it', () => {
    expect(plan({ policy: start, retraining: { kind: 'started', atMs: 0, ...started } }).kind).toBe('leave')
    const starting = (atMs: number) => ({ kind: 'starting', atMs, ...started }) as const
    expect(plan({ policy: start, retraining: starting(NOW - 1_000) }).kind).toBe('leave')
    expect(plan({ policy: start, retraining: starting(NOW - 3_600_000) })).toMatchObject({ kind: 'start', ...started })
    // Whoever allowed it has taken it back meanwhile.
    expect(plan({ retraining: starting(NOW - 3_600_000) })).toEqual({ kind: 'propose', why: 'policy' })
  })

  it('is tried again a day after it was refused, not at once', () => {
    const refused = (atMs: number) => ({
      policy: start,
      retraining: { kind: 'proposed', atMs, why: 'refused' } as const,
    })
    expect(plan(refused(NOW - 3_600_000)).kind).toBe('leave')
    expect(plan(refused(NOW - DAY_MS)).kind).toBe('start')
  })
})

describe('a retraining', () => {
  let world: World
  beforeAll(async () => {
    world = await driftWorld()
  })

  const content = (word: string) => dataset(12, (n) => `${word} ${n}?`)

  /** A model that has drifted, whose tenant allows trainings with files of this beginning. */
  async function drifted(filenamePrefix: string, hasConsent = true): Promise<Trained & { newest: DatasetId }> {
    const old = world.addFile(`${filenamePrefix}1.jsonl`, content('Question'))
    const trained = await world.trained({ watch: true }, old, 12)
    const { scope, modelId } = trained
    await world.addDataset(scope, old)
    for (const number of [2, 3]) {
      await world.clock.advance(1_000)
      await world.addDataset(scope, world.addFile(`${filenamePrefix}${number}.jsonl`, content('Query')), hasConsent)
    }
    const [last] = (await world.datasets.page(scope, { after: undefined, limit: 1 })).datasets
    await world.clock.advance(1_000)
    await world.addDataset(scope, world.addFile('of-something-else.jsonl', content('Query')))
    await world.clock.advance(1_000)
    await world.addDataset(scope, world.addFile(`${filenamePrefix}-without-consent.jsonl`, content('Query')), false)
    await world.clock.advance(1_000)
    await world.addDataset(scope, world.addFile(`${filenamePrefix}-faulty.jsonl`, Buffer.from('{"messages":[]}')))
    await world.store.changeState(scope, modelId, (before) => ({
      ...before,
      verdict: { kind: 'drifted', sinceMs: world.clock.now(), features: ['messages'] },
      policy: { ...start, filenamePrefix },
    }))
    if (!last) throw new Error('there are datasets')
    return { ...trained, newest: last.id }
  }

  const jobsOf = async ({ scope }: Trained) => {
    const jobs = []
    for await (const job of world.tuningStore.list(scope)) jobs.push(job)
    return jobs
  }
  const modelOf = async ({ scope, modelId }: Trained) => {
    const model = await world.registry.get(scope, modelId)
    if (!model) throw new Error('there is no such model')
    return model
  }
  const again = async (of: Trained, deps = world.deps) =>
    retrain(deps, of.scope, { model: await modelOf(of), state: await world.store.state(of.scope, of.modelId) })

  it('trains the model further as it was trained, on the newest dataset that may be used, in the name of who allowed it', async () => {
    const of = await drifted('support-')
    const state = await again(of)
    const [job] = await jobsOf(of)
    expect(state.retraining).toMatchObject({ kind: 'started', jobId: job?.id, datasetId: of.newest })
    const newer = await world.datasets.get(of.scope, of.newest)
    expect(job).toMatchObject({
      by: { callerId: by, keyId: by },
      consent: { by: newer?.by },
      order: {
        model: (await modelOf(of)).name,
        parent: of.modelId,
        trainingFileId: newer?.file.id,
        method: 'supervised',
        hyperparameters: { n_epochs: 2 },
      },
      wishes: { deploy: { sku: 'Standard', capacity: 50 } },
    })
    // Once, however often it is looked at.
    await again(of)
    await again(of)
    expect(await jobsOf(of)).toHaveLength(2)
  })

  it('is not started on data that nobody has consented to', async () => {
    const of = await drifted('unwilling-', false)
    const state = await again(of)
    expect(state.retraining).toMatchObject({ kind: 'proposed', why: 'no-newer-dataset' })
    expect(await jobsOf(of)).toHaveLength(1)
  })

  it('is refused where consent was withdrawn since its dataset was chosen', async () => {
    const of = await drifted('withdrawn-')
    const { datasets } = world.deps
    const late = {
      ...world.deps,
      datasets: {
        ...datasets,
        page: async (...args: Parameters<typeof datasets.page>) => {
          const page = await datasets.page(...args)
          await world.datasets.consent(of.scope, of.newest, null)
          return page
        },
      },
    }
    expect((await again(of, late)).retraining).toMatchObject({ kind: 'proposed', why: 'refused' })
    expect(await jobsOf(of)).toHaveLength(1)
  })

  it('is started once where two instances look at the same time', async () => {
    const of = await drifted('twice-')
    await Promise.all([again(of), again(of), again(of)])
    expect(await jobsOf(of)).toHaveLength(2)
  })

  it('that an instance died in the middle of is found again, and not started twice', async () => {
    const of = await drifted('died-')
    const dying = {
      ...world.deps,
      tuningJobs: {
        ...world.deps.tuningJobs,
        create: async (...args: Parameters<typeof world.deps.tuningJobs.create>) => {
          await world.deps.tuningJobs.create(...args)
          throw new Error('the process died')
        },
      },
    }
    await expect(again(of, dying)).rejects.toThrow('the process died')
    expect((await again(of)).retraining.kind).toBe('starting')
    await world.clock.advance(10 * 60_000)
    const state = await again(of)
    const jobs = await jobsOf(of)
    expect(jobs).toHaveLength(2)
    expect(state.retraining).toMatchObject({ kind: 'started', jobId: jobs[0]?.id })
    expect(state.starts).toHaveLength(1)
  })

  it('that was to begin when its instance died begins later', async () => {
    const of = await drifted('begins-')
    const dying = {
      ...world.deps,
      tuningJobs: { ...world.deps.tuningJobs, create: async () => Promise.reject(new Error('the process died')) },
    }
    await expect(again(of, dying)).rejects.toThrow('the process died')
    await world.clock.advance(10 * 60_000)
    expect((await again(of)).retraining.kind).toBe('started')
    expect(await jobsOf(of)).toHaveLength(2)
  })
})
