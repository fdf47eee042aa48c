import type { Caller } from '../access/caller'
import type { Clock } from '../base/clock'
import { countAmong } from '../base/count-among'
import type { IdMaker, TenantId, TuningJobId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Decision } from '../checklists/checklist'
import type { Datasets } from '../datasets/datasets'
import { trainingModelOf } from '../datasets/training-models'
import type { Files } from '../files/files'
import { invalid } from '../inference/body-fields'
import type { DeploymentSku } from '../registry/model-version'
import { aliasFault } from '../registry/prepare-promotion'
import type { ModelStages } from '../registry/model-stages'
import type { Registry } from '../registry/registry'
import type { TenantScope } from '../storage/tenant-scope'
import type { Tenants } from '../tenants/tenants'
import { givenConsent, noConsent } from './given-consent'
import { calledOff, decided, paused, resumed, retried } from './job-requests'
import {
  isOver,
  type DeployWish,
  type TuningConsent,
  type TuningJob,
  type TuningOrder,
  type TuningWishes,
} from './tuning-job'
import { methodFor, type AskedTuning } from './tuning-order'
import type { TuningStore } from './tuning-store'

/** A tenant's jobs, as its callers make and see them. An id of another tenant's is one that never was (I3). */
export interface TuningJobs {
  /** Who asks consents: its files go to a model account from the next step on. */
  create(scope: TenantScope, caller: Caller, asked: AskedJob): Promise<TuningJob | Problem>
  get(scope: TenantScope, id: TuningJobId): Promise<TuningJob | undefined>
  /** Newest first. */
  page(scope: TenantScope, page: JobPageQuery): Promise<JobPage>
  /** What was made for it is taken back. Undefined where there is no such job. */
  cancel(scope: TenantScope, id: TuningJobId): Promise<TuningJob | Problem | undefined>
  pause(scope: TenantScope, id: TuningJobId): Promise<TuningJob | Problem | undefined>
  resume(scope: TenantScope, id: TuningJobId): Promise<TuningJob | Problem | undefined>
  /** For a gate that waits for approval; the first decision counts. */
  decide(scope: TenantScope, id: TuningJobId, decision: Decision): Promise<TuningJob | Problem | undefined>
  /** One that failed or was cancelled goes on with what was done well of it. */
  retry(scope: TenantScope, id: TuningJobId): Promise<TuningJob | Problem | undefined>
}

export interface AskedJob {
  /** A new one where absent. Given by who may have to repeat the request: a job that has it already is the answer. */
  readonly id?: TuningJobId | undefined
  readonly asked: AskedTuning
  /** False where the request does not say it: then its files have to have been consented to before. */
  readonly hasConsent?: boolean | undefined
  /** Given before, for the same training. */
  readonly consent?: TuningConsent | undefined
  /** The model is deployed, unless told otherwise, as its training type suggests. */
  readonly wishes?: (TuningWishes & { readonly isDeployed: boolean }) | undefined
}

export interface JobPageQuery {
  readonly after: TuningJobId | undefined
  readonly limit: number
  /** Only those with these pairs. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

export interface JobPage {
  readonly jobs: readonly TuningJob[]
  readonly hasMore: boolean
}

export interface TuningJobsDeps {
  readonly store: TuningStore
  readonly registry: Pick<Registry, 'byName'>
  readonly files: Pick<Files, 'get'>
  readonly datasets: Pick<Datasets, 'consentFor'>
  readonly tenants: Pick<Tenants, 'get'>
  readonly stages: ModelStages
  /** Has the job's checklist begun, soon and at least once; again for one that has begun does nothing. */
  readonly begin: (tenantId: TenantId, id: TuningJobId) => Promise<void>
  readonly ids: Pick<IdMaker, 'tuningJobId'>
  readonly clock: Clock
}

/** Of one tenant, not over at one time. */
const OPEN_JOBS_MAX = 50
/** The newest are looked through for open ones, and for those of a page with given metadata. */
const LOOKED_THROUGH_MAX = 1_000
/** A job that no step has looked at for so long after its making was not begun: the message was lost. */
const BEGUN_MS_MAX = 120_000
/** Thousands of tokens per minute, where nobody says how many. */
const CAPACITY_DEFAULT = 50

export function createTuningJobs(deps: TuningJobsDeps): TuningJobs {
  const { store, stages, begin, ids, clock } = deps
  /** `edit` says why not, or how the job goes on. */
  const change = async (scope: TenantScope, id: TuningJobId, edit: (job: TuningJob) => TuningJob | Problem) => {
    let refusal: Problem | undefined
    const job = await store.change(scope, id, (found) => {
      const next = edit(found)
      refusal = next instanceof Problem ? next : undefined
      return next instanceof Problem ? found : next
    })
    return refusal ?? job
  }
  return {
    create: async (scope, caller, { id, asked, hasConsent = true, consent: given, wishes }) => {
      const known = id && (await store.get(scope, id))
      if (known && !isOver(known)) await begin(scope.tenantId, known.id)
      if (known) return known
      const order = await orderOf(deps, scope, asked)
      if (order instanceof Problem) return order
      const missing = stageNames.find((name) => wishes?.[name] && !stages[name])
      if (missing) return invalid(missing, 'is not available on this platform')
      const fault = await faultOfWishes(deps, scope, { order, wishes: wishes ?? {} })
      if (fault) return fault
      const open = await countAmong(store.list(scope), LOOKED_THROUGH_MAX, (job) => !isOver(job))
      if (open >= OPEN_JOBS_MAX) return tooMany
      const nowMs = clock.now()
      const said = hasConsent ? { by: caller.callerId, atMs: nowMs } : undefined
      const consent = given ?? said ?? (await givenConsent(deps.datasets, scope, order))
      if (!consent) return noConsent
      const job: TuningJob = {
        id: id ?? ids.tuningJobId(),
        createdAt: nowMs,
        by: {
          callerId: caller.callerId,
          ...(caller.principal.kind === 'key' ? { keyId: caller.principal.keyId } : {}),
          limits: caller.limits,
          budgets: caller.budgets,
        },
        order,
        wishes: wishesFor(order, wishes),
        consent,
        status: 'validating_files',
        attempt: 0,
        asked: {},
      }
      await store.insert(scope, job)
      await begin(scope.tenantId, job.id)
      return job
    },
    get: async (scope, id) => {
      const job = await store.get(scope, id)
      const isForgotten = job && !job.checked && !isOver(job) && clock.now() - job.createdAt > BEGUN_MS_MAX
      if (isForgotten) await begin(scope.tenantId, id)
      return job
    },
    page: async (scope, { after, limit, metadata = {} }) => {
      const wanted = Object.entries(metadata)
      const found: TuningJob[] = []
      let looked = 0
      for await (const job of store.list(scope, after)) {
        looked += 1
        const isWanted = wanted.every(([key, value]) => job.order.metadata?.[key] === value)
        if ((isWanted && found.push(job) > limit) || looked >= LOOKED_THROUGH_MAX) break
      }
      return { jobs: found.slice(0, limit), hasMore: found.length > limit }
    },
    cancel: (scope, id) => change(scope, id, (job) => calledOff(job, clock.now())),
    pause: (scope, id) => change(scope, id, (job) => paused(job, clock.now())),
    resume: (scope, id) => change(scope, id, resumed),
    decide: (scope, id, decision) => change(scope, id, (job) => decided(job, decision)),
    retry: async (scope, id) => {
      const job = await change(scope, id, retried)
      if (job && !(job instanceof Problem)) await begin(scope.tenantId, id)
      return job
    },
  }
}

async function orderOf(
  { files, registry }: TuningJobsDeps,
  scope: TenantScope,
  asked: AskedTuning,
): Promise<TuningOrder | Problem> {
  for (const param of ['training_file', 'validation_file'] as const) {
    const fileId = param === 'training_file' ? asked.trainingFileId : asked.validationFileId
    if (fileId === undefined) continue
    const file = await files.get(scope, fileId)
    // An id of nobody's, of another tenant's and of a deleted file are alike (I3).
    if (!file) return invalid(param, 'names no file of yours')
    if (file.purpose !== 'fine-tune') return invalid(param, 'must have been uploaded with the purpose "fine-tune"')
  }
  const parent = await registry.byName(scope, asked.model)
  const baseModel = parent?.lineage.baseModel ?? asked.model
  if (!parent && (asked.model.includes('.ft-') || !trainingModelOf(asked.model)))
    return invalid('model', `'${asked.model.slice(0, 100)}' cannot be trained, or is no model of yours`)
  const method = methodFor(asked, baseModel)
  if (method instanceof Problem) return method
  return { ...asked, method, baseModel, ...(parent ? { parent: parent.id } : {}) }
}

/** What would be found out only when the model is trained and paid for. */
async function faultOfWishes(
  { stages, tenants }: TuningJobsDeps,
  scope: TenantScope,
  { order, wishes: { evaluate, route } }: { order: TuningOrder; wishes: TuningWishes },
): Promise<Problem | undefined> {
  const unfit = evaluate && (await stages.evaluate?.check?.(scope, { wish: evaluate, baseModel: order.baseModel }))
  if (unfit) return ofPart('evaluate', unfit)
  if (!route) return undefined
  const aliases = (await tenants.get(scope))?.aliases ?? []
  const led = aliases.find(({ name }) => name === route.alias)
  if (!led) return invalid('route.alias', 'names no alias of yours')
  const fault = aliasFault(led, order.baseModel)
  return fault && new Problem('invalid_request', `route.${fault.public}`, { param: 'route.alias' })
}

const ofPart = (part: string, { code, param, public: text }: Problem): Problem =>
  param === undefined ? new Problem(code, text) : new Problem(code, `${part}.${text}`, { param: `${part}.${param}` })

const stageNames = ['evaluate', 'gate', 'route'] as const

function wishesFor(order: TuningOrder, wishes: AskedJob['wishes']): TuningWishes {
  const { isDeployed = true, ...given } = wishes ?? {}
  return isDeployed ? { deploy: deploymentFor(order), ...given } : given
}

/** Where nobody says otherwise, of the kind that the training was, so that its data stays where it was trained. */
function deploymentFor({ trainingType }: TuningOrder): DeployWish {
  const skus: Readonly<Record<TuningOrder['trainingType'], DeploymentSku>> = {
    standard: 'Standard',
    globalstandard: 'GlobalStandard',
    developertier: 'DeveloperTier',
  }
  return { sku: skus[trainingType], capacity: CAPACITY_DEFAULT }
}

const tooMany = new Problem(
  'insufficient_quota',
  `The tenant has ${OPEN_JOBS_MAX} fine-tuning jobs that are not over. Wait for some of them, or cancel them.`,
)
