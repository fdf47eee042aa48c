import { Problem } from '../../src/base/problem'
import type { EvaluationId, FileId, ModelId } from '../../src/base/ids'
import type { CallModel } from '../../src/evaluation/ask-model'
import { createEvaluationStore } from '../../src/evaluation/evaluation-store'
import {
  createEvaluations,
  type Advanced,
  type Evaluations,
  type EvaluationsDeps,
} from '../../src/evaluation/evaluations'
import type { Files } from '../../src/files/files'
import type { FileRecord } from '../../src/files/file-record'
import type { AnswerForTenant, CallForTenant } from '../../src/inference/call-for-tenant'
import type { TenantScope } from '../../src/storage/tenant-scope'
import type { ModelAlias, TenantSnapshot } from '../../src/tenants/snapshot'
import { registryWorld } from '../registry/registry-world'

/** What a model is asked, and by which alias. */
export interface AskedModel {
  readonly alias: string
  readonly last: string
  readonly body: Readonly<Record<string, unknown>>
}

export type Model = (asked: AskedModel) => string | Problem | { readonly status: number; readonly code: string }

/** Evaluations on Azurite; the clock is moved by hand, and what models answer is the test's. */
export async function evaluationWorld() {
  const world = await registryWorld()
  const { registry, clock, ids } = world
  const files = new Map<FileId, Buffer>()
  const snapshots = new Map<string, TenantSnapshot>()
  const asked: AskedModel[] = []
  let model: Model = () => ''
  let remaining = 1
  let isBroken = (_: CallForTenant) => false

  const call: CallModel = async (given): Promise<AnswerForTenant | Problem> => {
    if (isBroken(given)) throw new Error('the process was killed')
    const messages = given.body['messages'] as readonly { readonly content: string }[]
    const question: AskedModel = { alias: given.alias.name, last: messages.at(-1)?.content ?? '', body: given.body }
    asked.push(question)
    const said = model(question)
    if (said instanceof Problem) return said
    if (typeof said === 'object') return { status: said.status, body: { error: { code: said.code } }, remaining }
    return { status: 200, body: { choices: [{ message: { content: said } }] }, remaining }
  }
  const deps: EvaluationsDeps = {
    store: createEvaluationStore(world.records),
    registry,
    files: filesOf(files),
    backends: () => new Map(),
    tenantOf: (tenantId) => snapshots.get(tenantId),
    call,
    wake: async () => ({ kind: 'failed', problem: new Problem('conflict', 'It does not wake.') }),
    clock,
  }
  const evaluations = createEvaluations(deps)

  return {
    ...world,
    deps,
    evaluations,
    asked,
    snapshots,
    files,
    answerBy: (answer: Model) => void (model = answer),
    leave: (share: number) => void (remaining = share),
    breakWhen: (is: typeof isBroken) => void (isBroken = is),
    /** A tenant with a deployed model, an alias of its base, and a file with these questions and answers. */
    tuned: async (lines: readonly (readonly [question: string, answer: string])[]) => {
      const { scope, base } = await world.newTenant()
      const { id: modelId, backendId, jobId } = await world.newModel(scope)
      const name = (await registry.get(scope, modelId))?.name ?? ''
      const aliases = [alias('chat', base), alias(name, backendId)]
      snapshots.set(scope.tenantId, snapshotOf(scope, aliases))
      const fileId = ids.fileId()
      files.set(fileId, linesOf(lines))
      const at: { modelId: ModelId; id: EvaluationId } = { modelId, id: `evl_${ids.operationId('evl').slice(4)}` }
      const order = { ...at, wish: { fileId }, by: { callerId: ids.keyId() } }
      return { scope, modelId, jobId, name, fileId, at, order, base, backendId }
    },
  }
}

export type EvaluationWorld = Awaited<ReturnType<typeof evaluationWorld>>

const LOOKS_MAX = 300

/** Advances it until it is over, moving the clock by what it asks for. */
export async function ended(
  { clock }: Pick<EvaluationWorld, 'clock'>,
  evaluations: Evaluations,
  scope: TenantScope,
  at: { modelId: ModelId; id: EvaluationId },
): Promise<Exclude<Advanced, { kind: 'not-yet' }>> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const advanced = await evaluations.advance(scope, at)
    if (advanced.kind !== 'not-yet') return advanced
    await clock.advance(advanced.againAfterMs)
  }
  throw new Error('the evaluation does not end')
}

export const alias = (
  name: string,
  backendId: ModelAlias['groups'][number]['members'][number]['backendId'],
): ModelAlias => ({
  name,
  model: 'gpt-4.1-mini',
  capabilities: ['chat'],
  groups: [{ members: [{ backendId, weight: 1 }] }],
  outputTokensMax: 1_000,
  outputTokensField: 'max_tokens',
})

export const snapshotOf = ({ tenantId }: TenantScope, aliases: readonly ModelAlias[]): TenantSnapshot => ({
  tenantId,
  version: 1,
  state: 'active',
  displayName: 'Tuned',
  tier: 'premium',
  limits: { requestsPerMinute: 1_000, tokensPerMinute: 1_000_000, concurrentCalls: 100 },
  weight: 1,
  residency: [],
  aliases: Object.fromEntries(aliases.map((each) => [each.name, each])),
  settings: { hidePromptFilterChunk: false },
})

export const linesOf = (lines: readonly (readonly [question: string, answer: string])[]): Buffer =>
  Buffer.from(
    lines
      .map(([question, answer]) =>
        JSON.stringify({
          messages: [
            { role: 'user', content: question },
            { role: 'assistant', content: answer },
          ],
        }),
      )
      .join('\n'),
  )

/** Questions of which each has an answer of its own. */
export const questions = (count: number) =>
  Array.from({ length: count }, (_, n) => [`Question ${n}?`, `Answer ${n}.`] as const)

function filesOf(files: ReadonlyMap<FileId, Buffer>): Pick<Files, 'get' | 'read'> {
  const recordOf = (id: FileId) => ({ id, purpose: 'fine-tune' }) as FileRecord
  return {
    get: async (_, id) => (files.has(id) ? recordOf(id) : undefined),
    read: async (_, id) => {
      const bytes = files.get(id)
      if (!bytes) return undefined
      const content = (async function* () {
        yield bytes
      })()
      return { record: recordOf(id), content }
    },
  }
}
