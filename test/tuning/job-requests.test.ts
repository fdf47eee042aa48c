import { Problem } from '../../src/base/problem'
import { calledOff, decided, paused, resumed, retried } from '../../src/tuning/job-requests'
import type { SeenJob, TuningJob } from '../../src/tuning/tuning-job'

const seen: SeenJob = { status: 'succeeded', model: 'a-model', resultFileIds: [] }
const job: TuningJob = {
  id: 'ftjob-1',
  createdAt: 0,
  by: { callerId: 'key_1' },
  order: {
    model: 'gpt-4.1-mini-2025-04-14',
    baseModel: 'gpt-4.1-mini-2025-04-14',
    trainingFileId: 'file-1',
    method: 'supervised',
    hyperparameters: {},
    trainingType: 'standard',
  },
  wishes: {},
  consent: { by: 'key_1', atMs: 0 },
  status: 'running',
  attempt: 0,
  asked: {},
  account: {
    resourceId: '/accounts/a',
    region: 'swedencentral',
    account: {
      endpoint: 'https://a.example',
      api: { kind: 'azure-openai', apiVersion: '2024-10-21' },
      credential: { kind: 'none' },
    },
  },
  sending: { askedAt: 1, jobId: 'ftjob-there' },
  results: 'kept',
  resultFileId: 'file-2',
}
const conflict = (result: TuningJob | Problem) => result instanceof Problem && result.code === 'conflict'

describe('a retry', () => {
  it('of a job whose model is kept goes on from it, with its results', () => {
    const failed: TuningJob = { ...job, seen, modelId: 'mdl_1', status: 'failed', end: 'failed' }
    const { sending, account, resultFileId } = job
    expect(retried(failed)).toMatchObject({ status: 'running', attempt: 1, seen, sending, account, resultFileId })
    expect(retried(failed)).not.toHaveProperty('end')
  })

  it('of a job without one begins anew, wherever there is room now, and collects results of its own', () => {
    const { checked: _, ...failed }: TuningJob = { ...job, status: 'cancelled', end: 'cancelled' }
    const again = retried(failed)
    expect(again).toMatchObject({ status: 'validating_files', attempt: 1 })
    for (const gone of ['account', 'sending', 'seen', 'results', 'resultFileId', 'end'])
      expect(again).not.toHaveProperty(gone)
  })

  it('is for jobs that failed or were cancelled only', () => {
    expect(conflict(retried(job))).toBe(true)
    expect(conflict(retried({ ...job, status: 'succeeded' }))).toBe(true)
  })
})

describe('a cancel', () => {
  it('of what no account has anything of is over at once; all else is taken back first', () => {
    const { account: _, sending: __, ...nowhere } = job
    expect(calledOff(nowhere, 5)).toMatchObject({ status: 'cancelled', end: 'cancelled', finishedAt: 5 })
    expect(calledOff(job, 5)).toMatchObject({ status: 'running', asked: { cancelAt: 5 } })
  })

  it('asked for again keeps its first time, and comes too late for what is over', () => {
    const asked = { ...job, asked: { cancelAt: 5 } }
    expect(calledOff(asked, 6)).toBe(asked)
    expect(conflict(calledOff({ ...job, status: 'succeeded' }, 6))).toBe(true)
  })
})

describe('a pause', () => {
  it('is at once before it is sent, and the account’s to say after that', () => {
    const { sending: _, ...unsent } = job
    expect(paused(unsent, 5)).toMatchObject({ status: 'paused', asked: { pauseAt: 5 } })
    expect(paused(job, 5)).toMatchObject({ status: 'running', asked: { pauseAt: 5 } })
    expect(conflict(paused({ ...job, seen }, 5))).toBe(true)
  })

  it('is over with a resume, and only a paused job is resumed', () => {
    const again = resumed({ ...job, status: 'paused', asked: { pauseAt: 5 } })
    expect(again).toMatchObject({ status: 'validating_files', asked: {} })
    expect(conflict(resumed(job))).toBe(true)
  })
})

it('a decision is taken once, from a job that waits for it', () => {
  const decision = { approved: true, by: 'key_1' }
  expect(decided({ ...job, approval: 'asked' }, decision)).toMatchObject({ approval: decision })
  expect(conflict(decided({ ...job, approval: decision }, decision))).toBe(true)
  expect(conflict(decided(job, decision))).toBe(true)
})
