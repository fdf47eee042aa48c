import { parseTuningJobId, type TuningJobId } from '../base/ids'
import { Problem } from '../base/problem'
import { invalid } from '../inference/body-fields'
import { readLimit, type PageBounds } from '../inference/query-fields'
import { jsonAnswer, notFoundObject, type StoredOperation, type StoredRequest } from '../inference/stored-operation'
import type { TuningEvents } from './tuning-events'
import type { TuningJob } from './tuning-job'
import type { TuningJobs } from './tuning-jobs'
import { readTuningOrder } from './tuning-order'
import { tuningCheckpointView, tuningEventView, tuningJobView } from './tuning-view'

const JOBS = { limitDefault: 20, limitMax: 100 }
const EVENTS = { limitDefault: 20, limitMax: 1_000 }
const CHECKPOINTS = { limitDefault: 10, limitMax: 100 }

/** OpenAI's `/fine_tuning/jobs`, in both URL families. */
export function createTuningOperations(jobs: TuningJobs, events: TuningEvents): readonly StoredOperation[] {
  const onJob =
    (act: (request: StoredRequest, id: TuningJobId) => Promise<TuningJob | Problem | undefined>) =>
    async (request: StoredRequest) => {
      const found = await jobOf(request, (id) => act(request, id))
      return found instanceof Problem ? found : jsonAnswer(tuningJobView(found))
    }
  return [
    {
      name: 'fine_tuning.jobs.create',
      method: 'POST',
      path: '/fine_tuning/jobs',
      serve: (request) => create(jobs, request),
    },
    {
      name: 'fine_tuning.jobs.list',
      method: 'GET',
      path: '/fine_tuning/jobs',
      serve: (request) => list(jobs, request),
    },
    {
      name: 'fine_tuning.jobs.get',
      method: 'GET',
      path: '/fine_tuning/jobs/{id}',
      serve: onJob(({ scope }, id) => jobs.get(scope, id)),
    },
    ...(['cancel', 'pause', 'resume'] as const).map((action): StoredOperation => ({
      name: `fine_tuning.jobs.${action}`,
      method: 'POST',
      path: `/fine_tuning/jobs/{id}/${action}`,
      serve: onJob(({ scope }, id) => jobs[action](scope, id)),
    })),
    {
      name: 'fine_tuning.jobs.events',
      method: 'GET',
      path: '/fine_tuning/jobs/{id}/events',
      serve: async (request) => {
        const job = await jobOf(request, (id) => jobs.get(request.scope, id))
        if (job instanceof Problem) return job
        const all = await events.list(request.scope, job.id)
        return pageOf(request.query, all.map(tuningEventView).toReversed(), EVENTS)
      },
    },
    {
      name: 'fine_tuning.jobs.checkpoints',
      method: 'GET',
      path: '/fine_tuning/jobs/{id}/checkpoints',
      serve: async (request) => {
        const job = await jobOf(request, (id) => jobs.get(request.scope, id))
        if (job instanceof Problem) return job
        const all = await events.checkpoints(request.scope, job.id)
        return pageOf(
          request.query,
          all.map((checkpoint) => tuningCheckpointView(job, checkpoint)),
          CHECKPOINTS,
        )
      },
    },
  ]
}

async function create(jobs: TuningJobs, request: StoredRequest) {
  const { tenant, caller, scope, family } = request
  if (tenant.state !== 'active')
    return new Problem('tenant_not_active', `This tenant is ${tenant.state}; jobs are taken when it is active.`)
  // Such a key is for some aliases; what it trained would be none of them.
  if (caller.aliases !== undefined)
    return new Problem('insufficient_scope', 'A key that is bound to some aliases cannot train models.')
  const body = await request.readJson()
  if (body instanceof Problem) return body
  const asked = readTuningOrder(body)
  if (asked instanceof Problem) return asked
  const job = await jobs.create(scope, caller, { asked })
  if (job instanceof Problem) return job
  // As Azure's classic family says that it has made something; v1 says 200.
  return jsonAnswer(tuningJobView(job), family === 'v1' ? 200 : 201)
}

const METADATA_QUERY = /^metadata\[(.{1,64})\]$/

async function list(jobs: TuningJobs, { scope, query }: StoredRequest) {
  const limit = readLimit(query, JOBS)
  if (limit instanceof Problem) return limit
  const text = query.get('after')
  const after = text === null ? undefined : parseTuningJobId(text)
  if (text !== null && !after) return invalid('after', 'must be the id of a job')
  const metadata = Object.fromEntries(
    [...query].flatMap(([name, value]) => {
      const key = METADATA_QUERY.exec(name)?.[1]
      return key === undefined ? [] : [[key, value]]
    }),
  )
  const page = await jobs.page(scope, { after, limit, metadata })
  return jsonAnswer({ object: 'list', data: page.jobs.map(tuningJobView), has_more: page.hasMore })
}

/** An id that was never ours, and one of another tenant's, are alike (I3). */
async function jobOf(
  { params }: StoredRequest,
  find: (id: TuningJobId) => Promise<TuningJob | Problem | undefined>,
): Promise<TuningJob | Problem> {
  const id = parseTuningJobId(params['id'] ?? '')
  const found = id && (await find(id))
  return found ?? notFoundObject('fine-tuning job', params['id'] ?? '')
}

/** Of a list that is in memory; `after` is the last id of the page before. */
function pageOf(query: URLSearchParams, all: readonly { readonly id: string }[], bounds: PageBounds) {
  const limit = readLimit(query, bounds)
  if (limit instanceof Problem) return limit
  const after = query.get('after')
  const index = after === null ? -1 : all.findIndex(({ id }) => id === after)
  if (after !== null && index < 0) return invalid('after', 'must be an id of this list')
  const data = all.slice(index + 1, index + 1 + limit)
  return jsonAnswer({
    object: 'list',
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: index + 1 + limit < all.length,
  })
}
