import fc from 'fast-check'
import { fineTuningSchema } from '../../../local/simulator/fine-tuning/fine-tuning-config'
import type { JobOrder, TrainingType } from '../../../local/simulator/fine-tuning/job-order'
import type { ScannedFile } from '../../../local/simulator/fine-tuning/scan-training-file'
import { StoredJob } from '../../../local/simulator/fine-tuning/stored-job'
import { Trainer, type JobRun } from '../../../local/simulator/fine-tuning/trainer'
import type { StoredFile } from '../../../local/simulator/files/stored-file'
import { AccountStores } from '../../../local/simulator/stored/account-store'
import { TickerWheel } from '../../../local/simulator/ticker-wheel'

const CONCURRENT = 2
const DEVELOPERS = 3
const config = fineTuningSchema.parse({
  speed: 0,
  concurrentJobsMax: CONCURRENT,
  developerJobsMax: DEVELOPERS,
  validatingSeconds: 10,
  startingSeconds: 20,
  stepSecondsMin: 5,
  finishingSeconds: 10,
  pausingSeconds: 5,
})
const file: ScannedFile = {
  examples: 10,
  tokens: 1_000,
  cutExamples: 0,
  faults: [],
  faultyLines: 0,
  filters: new Set(),
  learned: [],
}
const FILE_ID = 'file-1'
const stored: StoredFile = {
  id: FILE_ID,
  filename: 'a',
  purpose: 'fine-tune',
  bytes: Buffer.alloc(0),
  createdAt: 0,
  expiresAt: undefined,
  processedAt: 0,
}
const orderOf = (trainingType: TrainingType, n_epochs = 2): JobOrder => ({
  model: 'gpt-4.1-2025-04-14',
  base: 'gpt-4.1-2025-04-14',
  trainingFileId: FILE_ID,
  validationFileId: null,
  method: 'supervised',
  hyperparameters: { n_epochs, batch_size: 1, learning_rate_multiplier: 'auto' },
  methodParameters: {},
  grader: undefined,
  suffix: null,
  seed: undefined,
  trainingType,
  metadata: null,
})

/** A trainer whose clock only the test moves, with all the jobs that it was ever given. */
class World {
  readonly stores = new AccountStores()
  readonly wheel = new TickerWheel()
  readonly trainer = new Trainer({
    wheel: this.wheel,
    config: () => config,
    isKept: (account, store) => this.stores.isKept(account, store),
  })
  readonly runs: JobRun[] = []

  create(account: string, trainingType: TrainingType, epochs?: number): void {
    const store = this.stores.of({ name: account })
    store.files.set(FILE_ID, stored)
    const state = this.trainer.firstState()
    const job = new StoredJob(orderOf(trainingType, epochs), { seed: 1, learnedBefore: [], state })
    store.jobs.set(job.id, job)
    const run = { account, store, job, scanned: { training: file, validation: undefined } }
    this.runs.push(run)
    this.trainer.begin(run)
  }

  pick(index: number): JobRun | undefined {
    return this.runs[index % Math.max(1, this.runs.length)]
  }
}

const action = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('create'), account: fc.constantFrom('a', 'b'), developer: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('advance'), seconds: fc.constantFrom(1, 5, 12, 40, 300) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('cancel', 'pause', 'resume'), index: fc.nat(50) }) },
)
type Action = {
  readonly kind: string
  readonly account?: string
  readonly developer?: boolean
  readonly seconds?: number
  readonly index?: number
}

function act(world: World, { kind, account = 'a', developer, seconds = 0, index = 0 }: Action): void {
  const { trainer } = world
  if (kind === 'create') return world.create(account, developer === true ? 'developerTier' : 'Standard')
  if (kind === 'advance') trainer.clock.advance(seconds * 1_000)
  trainer.settle()
  const run = world.pick(index)
  if (run === undefined || run.job.isOver) return
  const { state, stepsDone } = run.job
  if (kind === 'cancel') trainer.cancel(run)
  if (kind === 'pause' && state.kind === 'training' && stepsDone > 0) trainer.pause(run.job)
  if (kind === 'resume' && state.kind === 'paused') trainer.resume(run.job)
}

const isTraining = ({ job: { state } }: JobRun) =>
  state.kind === 'starting' || state.kind === 'training' || state.kind === 'finishing' || state.kind === 'pausing'
const place = ({ account, job }: JobRun) => `${account} ${job.order.trainingType}`

function checkPlaces(runs: readonly JobRun[]): void {
  for (const [name, alike = []] of Object.entries(Object.groupBy(runs, place))) {
    const most = name.endsWith('developerTier') ? DEVELOPERS : CONCURRENT
    const training = alike.filter(isTraining)
    const queued = alike.filter(({ job }) => job.state.kind === 'queued')
    expect(training.length).toBeLessThanOrEqual(most)
    // Nobody waits while there is a place.
    if (queued.length > 0) expect(training.length).toBe(most)
  }
}

it('a job that waits for a place begins when one is free, and takes as long as any other', () => {
  const world = new World()
  for (let count = 0; count < 2 * CONCURRENT; count++) world.create('a', 'Standard')
  const endedAfter = (seconds: number) => {
    world.trainer.clock.advance(seconds * 1_000)
    world.trainer.settle()
    return world.runs.filter(({ job }) => job.isOver).length
  }
  // Of the service's seconds: 10 to validate, then 20 to start, 20 steps of 5, and 10 to finish.
  expect([endedAfter(139.9), endedAfter(0.2), endedAfter(129.7), endedAfter(0.3)]).toEqual([0, 2, 2, 4])
  world.wheel.close()
})

describe('training in any order of what can happen', () => {
  it('never has more jobs at once than there are places, nor a free place with a job waiting for it', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions: readonly Action[]) => {
        const world = new World()
        for (const each of actions) {
          act(world, each)
          world.trainer.settle()
          checkPlaces(world.runs)
        }
        world.wheel.close()
      }),
      { numRuns: 200 },
    )
  })

  it('ends every job once, with one model for each that succeeded and none for any other', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions: readonly Action[]) => {
        const world = new World()
        for (const each of actions) act(world, each)
        for (const { job } of world.runs) if (job.state.kind === 'paused') world.trainer.resume(job)
        world.trainer.clock.advance(1e9)
        world.trainer.settle()
        for (const { job } of world.runs) if (job.state.kind === 'paused') world.trainer.resume(job)
        world.trainer.clock.advance(1e9)
        world.trainer.settle()
        world.wheel.close()
        for (const { job, store } of world.runs) {
          expect(job.isOver).toBe(true)
          const models = [...store.models.values()].filter((model) => model.jobId === job.id)
          const whole = models.filter(({ checkpointStep }) => checkpointStep === undefined)
          expect(whole).toHaveLength(job.state.kind === 'succeeded' ? 1 : 0)
          const ends = job.events.filter(({ message }) => message === 'Job succeeded.' || message === 'Job cancelled.')
          expect(ends).toHaveLength(1)
          if (job.state.kind === 'succeeded') expect(job.stepsDone).toBe(20)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('ends the same jobs in the same order whether the clock runs or leaps', () => {
    const gaps = fc.array(fc.constantFrom(0, 1, 3, 30), { minLength: 1, maxLength: 12 })
    const end = fc.integer({ min: 100, max: 1_500 })
    const epochs = fc.array(fc.constantFrom(1, 2, 5), { minLength: 12, maxLength: 12 })
    fc.assert(
      fc.property(gaps, epochs, end, (waits, lengths, untilSeconds) => {
        const ended = (tickSeconds: number) => {
          const world = new World()
          const advance = (seconds: number) => {
            for (let left = seconds; left > 0; left -= tickSeconds) {
              world.trainer.clock.advance(Math.min(tickSeconds, left) * 1_000)
              world.trainer.settle()
            }
          }
          for (const [index, wait] of waits.entries()) {
            world.create('a', 'Standard', lengths[index])
            advance(wait)
          }
          advance(untilSeconds)
          world.wheel.close()
          const ids = world.runs.map(({ job }) => job.id)
          return world.trainer.bill.charges.map((charge) => ('jobId' in charge ? ids.indexOf(charge.jobId) : -1))
        }
        expect(ended(7)).toEqual(ended(1e9))
      }),
      { numRuns: 50 },
    )
  })
})
