import type { TuningJobId } from '../../src/base/ids'
import { Problem } from '../../src/base/problem'
import { planOf, createRunStep, type StepRequest } from '../../src/checklists/run-step'
import { runChecklist } from '../../src/checklists/run-checklist'
import { assembleSharedModels } from '../../src/shared-models/assemble-shared-models'
import { askedConsent, consentInput } from '../../src/shared-models/consent'
import { reconsider } from '../../src/shared-models/objections'
import type { PurposeId } from '../../src/shared-models/purpose'
import { backendOf, ownerOf, parseSharedModelId, type SharedModelId } from '../../src/shared-models/shared-model'
import { sharedModelStorage } from '../../src/shared-models/shared-models'
import type { SharedModelBounds } from '../../src/shared-models/shared-model-deps'
import { startSharedModel } from '../../src/shared-models/start-shared-model'
import { TenantScope } from '../../src/storage/tenant-scope'
import { tenantInput } from '../../src/tenants/tenant-input'
import type { TuningJob } from '../../src/tuning/tuning-job'
import { handRun } from '../checklists/hand-run'
import { serveControlPlane } from '../functions/control-plane-server'
import { silentLog } from '../metering/read-all'

export const PURPOSE = 'order-support' as PurposeId
const REGION = 'swedencentral'

export interface WorldTenant {
  readonly scope: TenantScope
  readonly fileId: string
}

/**
 * Tenants, their files and shared models on Azurite, without a host: builds are run by hand, step by step. Training is another slice's
 * and has tests of its own; here every job is done at once, and what it was given is kept.
 */
export async function sharedWorld(bounds: Partial<SharedModelBounds> = {}) {
  const server = await serveControlPlane()
  const { parts, storage, clock } = server
  const { tenants, files, keyring, backends, controlPlane } = parts
  await storage.ensure({ tables: ['files'], queues: sharedModelStorage.queues, containers: ['tenant-content'] })
  const { ids } = controlPlane
  const trained = new Map<TuningJobId, string>()
  const emptied: string[] = []

  const shared = assembleSharedModels({
    storage,
    records: parts.sealedRecords,
    keyring,
    tenants,
    backends,
    files: files.files,
    alerts: controlPlane.alerts,
    audit: controlPlane.audit,
    tuningJobs: {
      create: async (scope, _caller, { id, asked }) => {
        if (!id) throw new Error('a shared model’s job has an id of its model’s')
        const file = await files.files.read(scope, asked.trainingFileId)
        const pieces: Buffer[] = []
        for await (const piece of file?.content ?? []) pieces.push(piece)
        trained.set(id, Buffer.concat(pieces).toString())
        const backendId = backendOf(sharedIdOf(id))
        await backends.create(backendId, {
          name: id,
          api: { kind: 'openai-compatible' },
          endpoint: 'http://localhost:1',
          deployment: id,
          credential: { kind: 'none' },
          region: REGION,
          capacity: 'payg',
          enabled: true,
          ownerTenantId: scope.tenantId,
        })
        return doneJob(id)
      },
      get: async (_scope, id) => (trained.has(id) ? doneJob(id) : undefined),
      cancel: async () => undefined,
    },
    emptyOwner: async (owner) => {
      emptied.push(owner.tenantId)
      await tenants.remove(owner)
      await keyring.destroy(owner)
      return { kind: 'removed' }
    },
    bounds: { retrain: 'start', pollMs: 1_000, drainMs: 60_000, affectedMsMax: 30 * 86_400_000, ...bounds },
    ids,
    clock,
    log: silentLog,
  })
  const { deps } = shared
  await deps.purposes.put(PURPOSE, { title: 'Order support', region: REGION, text: 'Your examples are used.' })

  const say = async ({ scope }: WorldTenant, input: object) => {
    const entry = await deps.consents.add(
      scope,
      'key_01m00000000000000000000000',
      askedConsent(consentInput.parse({ purpose: PURPOSE, ...input })),
    )
    if (entry instanceof Problem) throw new Error(entry.public)
    return entry
  }

  return {
    ...shared,
    server,
    clock,
    trained,
    emptied,
    say,
    /** With examples that are in common words but for those of its own. */
    newTenant: async (lines: readonly string[], more: object = {}): Promise<WorldTenant> => {
      const scope = TenantScope.ofPlatform(ids.tenantId())
      await keyring.create(scope)
      const input = { displayName: 'Contoso', contact: { email: 'ops@contoso.example' }, region: REGION, ...more }
      const made = await tenants.register(scope.tenantId, tenantInput.parse(input))
      if (made instanceof Problem) throw new Error(made.public)
      await tenants.transition(scope, 'activate')
      const content = Buffer.from(lines.map(exampleLine).join('\n'))
      const file = await files.files.create(
        scope,
        { filename: 'train.jsonl', purpose: 'fine-tune', createdBy: undefined },
        (async function* () {
          yield content
        })(),
      )
      if (file instanceof Problem) throw new Error(file.public)
      return { scope, fileId: file.id }
    },
    consent: (tenant: WorldTenant) => say(tenant, { kind: 'consent', textVersion: 1, files: [tenant.fileId] }),
    /** As the endpoint does it. */
    object: async (tenant: WorldTenant) => reconsider(deps, tenant.scope, await say(tenant, { kind: 'objection' })),
    order: async (tenantsMin = 3): Promise<SharedModelId> => {
      const id = parseSharedModelId(ids.operationId('shm'))
      if (!id) throw new Error('the id of a shared model is one')
      const input = {
        purpose: PURPOSE,
        baseModel: 'gpt-4.1-mini-2025-04-14',
        suffix: 'shared',
        hyperparameters: {},
        tenantsMin,
      }
      const model = await startSharedModel(deps, { id, by: 'somebody', input })
      if (model instanceof Problem) throw new Error(`${model.code}: ${model.public}`)
      return id
    },
    /** Runs a model's build, or its retirement, to its end. `before` is told of each step that is about to be done. */
    run: async (
      id: SharedModelId,
      what: 'build' | 'retirement' = 'build',
      before: (step: string) => Promise<void> = async () => {},
    ) => {
      const checklist = shared.checklists[what === 'build' ? 0 : 1]
      const runStep = createRunStep(checklist, { log: silentLog, alert: async () => {} })
      // By the world's clock, which the run's own does not know.
      const startedAt = new Map<string, number>()
      const { output } = await handRun(
        (steps) => runChecklist(steps, planOf(checklist), { tenantId: ownerOf(id), input: {} }),
        {
          instanceId: what === 'build' ? id : id.replace('shm_', 'shr_'),
          activity: async (_, input) => {
            const request = input as StepRequest
            if (request.act === 'do') await before(request.step)
            const began = `${request.act} ${request.step}`
            if (!startedAt.has(began)) startedAt.set(began, clock.now())
            const report = await runStep({ ...request, stepStartedAt: startedAt.get(began) ?? 0 }, noHost)
            if (report.kind === 'not-yet') await clock.advance(report.againAfterMs)
            return report
          },
        },
      )
      return output
    },
    model: async (id: SharedModelId | undefined) => {
      const model = id && (await deps.models.get(id))
      if (!model) throw new Error(`there is no shared model ${id}`)
      return model
    },
    close: () => server.close(),
  }
}

export type SharedWorld = Awaited<ReturnType<typeof sharedWorld>>

const sharedIdOf = (id: TuningJobId): SharedModelId => {
  const found = parseSharedModelId(`shm_${id.slice('ftjob-'.length)}`)
  if (!found) throw new Error(`${id} is no job of a shared model`)
  return found
}

const doneJob = (id: TuningJobId) => ({ id, status: 'succeeded', finishedAt: 0 }) as TuningJob

const noHost = {
  orchestrations: { purge: async () => {}, running: async () => [], ended: async () => [] },
}

const exampleLine = (question: string) =>
  JSON.stringify({
    messages: [
      { role: 'user', content: question },
      { role: 'assistant', content: 'your order is on its way' },
    ],
  })

const WORDS = ['red', 'blue', 'small', 'large', 'late', 'lost', 'new', 'old', 'heavy', 'light', 'open', 'empty']

/** Lines in words that every tenant uses, none of them another tenant's. */
export const linesOf = (tenant: number, count: number): string[] =>
  Array.from({ length: count }, (_, n) => {
    let code = n * 10 + tenant
    const said: string[] = []
    for (let at = 0; at < 6; at++) {
      said.push(WORDS[code % WORDS.length] ?? '')
      code = Math.floor(code / WORDS.length)
    }
    return `where is my ${said.join(' ')} order`
  }).concat(`where are all ${WORDS.join(' ')} ones`)
