import { resourceNotFound } from '../errors'
import { forgetExpired } from '../files/keep-file'
import { fileStatus, type StoredFile } from '../files/stored-file'
import { modelFacts } from '../model-catalogue'
import { hashText, mixHash } from '../random'
import { InvalidRequest, refuse } from '../request-fields'
import { readPage } from '../stored/page'
import { inFamily, notFoundThing, quotaExceeded, unfitState } from '../stored/refusals'
import { readJson, sendCreated, sendObject, type ServeStored, type StoredCall } from '../stored/stored-call'
import { loadTokenizer } from '../tokens'
import { readJobOrder, type JobOrder } from './job-order'
import { scanTrainingFile } from './scan-training-file'
import { StoredJob } from './stored-job'
import type { JobRun } from './trainer'

const JOBS_PAGE = { limitDefault: 20, limitMax: 100 }
const EVENTS_PAGE = { limitDefault: 20, limitMax: 1_000 }
const CHECKPOINTS_PAGE = { limitDefault: 10, limitMax: 100 }

export const createJob: ServeStored = async (call) => {
  const body = await readJson(call)
  if (body === undefined) return
  const { store, resource, account, route } = call
  const { order, files } = inWordsOf(call, () => {
    const read = readJobOrder(body, (name) => store.models.get(name))
    return { order: read, files: filesOf(call, read) }
  })
  checkRoom(call)
  const learnedBefore = store.models.get(order.model)?.learned ?? []
  const seed = order.seed ?? mixHash(resource.config.seed, hashText(`${account.name} ${store.jobs.size}`)) >>> 1
  const job = new StoredJob(order, { seed, learnedBefore, state: resource.trainer.firstState() })
  job.say('Job enqueued. Waiting for jobs ahead to complete.')
  store.jobs.set(job.id, job)
  const run: JobRun = { account: account.name, store, job, scanned: undefined }
  resource.trainer.begin(run)
  // The answer does not wait for the files to be read.
  const scanning = scanFiles(job.order, files)
  sendCreated(call, job.object(route.family, null))
  run.scanned = await scanning
}

/** Runs what refuses a body by OpenAI's errors, and refuses it by those of the family that was called. */
function inWordsOf<T>({ route }: StoredCall, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof InvalidRequest) || error.refusal.status !== 400) throw error
    throw new InvalidRequest(inFamily(route.family, error.refusal))
  }
}

interface JobFiles {
  readonly training: StoredFile
  readonly validation: StoredFile | undefined
}

function filesOf({ store }: StoredCall, { trainingFileId, validationFileId }: JobOrder): JobFiles {
  const now = Date.now()
  forgetExpired(store, now)
  const found = (id: string, param: string) => {
    const file = store.files.get(id)
    const cannot = (why: string) => refuse(`The specified file '${id}' ${why}.`, param, 'invalid_value')
    if (file === undefined) return cannot('was not found')
    if (file.purpose !== 'fine-tune') return cannot(`has the purpose '${file.purpose}', not 'fine-tune'`)
    const status = fileStatus(file, now)
    return status === 'processed' ? file : cannot(`is in the state '${status}', not 'processed'`)
  }
  return {
    training: found(trainingFileId, 'training_file'),
    validation: validationFileId === null ? undefined : found(validationFileId, 'validation_file'),
  }
}

function checkRoom({ store, resource }: StoredCall): void {
  const { queuedJobsMax, jobsMax, quotaStatus } = resource.config.fineTuning
  const jobs = [...store.jobs.values()]
  const full = (what: string) => new InvalidRequest(quotaExceeded(what, quotaStatus))
  if (jobs.length >= jobsMax) throw full(`${jobsMax} fine-tuning jobs`)
  const waiting = jobs.filter(({ state: { kind } }) => kind === 'validating' || kind === 'queued').length
  if (waiting >= queuedJobsMax) throw full(`${queuedJobsMax} queued fine-tuning jobs`)
}

async function scanFiles(order: JobOrder, { training, validation }: JobFiles) {
  const facts = modelFacts(order.base)
  const tokenizer = await loadTokenizer(facts.encoding)
  const { method, grader } = order
  const scan = { method, grader, tokenizer, exampleTokensMax: Math.min(facts.inputTokensMax, EXAMPLE_TOKENS_MAX) }
  return {
    training: await scanTrainingFile(training.bytes, scan),
    validation: validation && (await scanTrainingFile(validation.bytes, scan)),
  }
}

/** Longer examples are cut. Source: Azure's model table, whose newer models all train on as much. */
const EXAMPLE_TOKENS_MAX = 65_536

export const listJobs: ServeStored = (call) => {
  const { store, route } = call
  const wanted = [...route.query].flatMap(([name, value]) => {
    const key = /^metadata\[(.+)\]$/.exec(name)?.[1]
    return key === undefined ? [] : [[key, value] as const]
  })
  const isWanted = ({ order }: StoredJob) => wanted.every(([key, value]) => order.metadata?.[key] === value)
  const page = readPage(route.query, [...store.jobs.values()].filter(isWanted), JOBS_PAGE)
  sendObject(call, { ...page, data: page.data.map((job) => shown(call, job)) })
}

export const retrieveJob: ServeStored = (call) => sendObject(call, shown(call, foundJob(call)))

export const listEvents: ServeStored = (call) => {
  sendObject(call, readPage(call.route.query, foundJob(call).events, EVENTS_PAGE))
}

export const listCheckpoints: ServeStored = (call) => {
  const job = foundJob(call)
  const page = readPage(call.route.query, job.checkpoints, CHECKPOINTS_PAGE)
  sendObject(call, { ...page, data: page.data.map((checkpoint) => job.checkpointObject(checkpoint)) })
}

export const cancelJob: ServeStored = (call) => {
  const job = foundJob(call)
  if (job.isOver) throw unfit(call, job, 'cancelled')
  call.resource.trainer.cancel({ account: call.account.name, job })
  sendObject(call, shown(call, job))
}

/** Only what has trained can be paused: there must be something to keep. */
export const pauseJob: ServeStored = (call) => {
  const job = foundJob(call)
  if (job.state.kind !== 'training' || job.stepsDone === 0) throw unfit(call, job, 'paused')
  call.resource.trainer.pause(job)
  sendObject(call, shown(call, job))
}

export const resumeJob: ServeStored = (call) => {
  const job = foundJob(call)
  if (job.state.kind !== 'paused') throw unfit(call, job, 'resumed')
  call.resource.trainer.resume(job)
  sendObject(call, shown(call, job))
}

/** The classic family's only. What the job made stays: its model, its checkpoints and its results. */
export const deleteJob: ServeStored = (call) => {
  if (call.route.family !== 'classic') return call.exchange.refuse(resourceNotFound)
  const job = foundJob(call)
  if (!job.isOver) throw unfit(call, job, 'deleted')
  call.store.jobs.delete(job.id)
  call.exchange.json(204, '')
}

const shown = ({ route, resource }: StoredCall, job: StoredJob) =>
  job.object(route.family, resource.trainer.finishesAt(job))

function foundJob({ store, route, exchange }: StoredCall): StoredJob {
  const job = store.jobs.get(route.id ?? '')
  if (job === undefined) throw new InvalidRequest(notFoundThing(route.family, 'FineTuningJob', route.id ?? ''))
  exchange.record.answerId = job.id
  return job
}

const unfit = ({ route: { family } }: StoredCall, job: StoredJob, what: string) =>
  new InvalidRequest(unfitState(family, `The job '${job.id}' is ${job.status(family)} and cannot be ${what}.`))
