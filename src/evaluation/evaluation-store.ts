import type { EvaluationId, ModelId } from '../base/ids'
import { changeRecord } from '../encryption/change-record'
import { removeRecords } from '../encryption/record-ranges'
import type { SealedRecords } from '../encryption/sealed-records'
import type { TenantScope } from '../storage/tenant-scope'
import type { EvaluationRun, ExampleProgress, KeptAnswer } from './evaluation-run'
import type { SampledExample } from './sample-examples'

/** Evaluations under way and over, with what they ask and what they were answered. All of it is sealed. */
export interface EvaluationStore {
  get(scope: TenantScope, modelId: ModelId, id: EvaluationId): Promise<EvaluationRun | undefined>
  /** Of a model, the oldest first. */
  list(scope: TenantScope, modelId: ModelId): AsyncIterable<EvaluationRun>
  /** Asks again with what is there whenever somebody was faster; the same run back changes nothing, undefined removes none. */
  change(
    scope: TenantScope,
    at: { readonly modelId: ModelId; readonly id: EvaluationId },
    edit: (run: EvaluationRun | undefined) => EvaluationRun | undefined,
  ): Promise<EvaluationRun | undefined>
  putExamples(scope: TenantScope, id: EvaluationId, page: number, examples: readonly SampledExample[]): Promise<void>
  examples(scope: TenantScope, id: EvaluationId, page: number): Promise<readonly SampledExample[]>
  putProgress(scope: TenantScope, id: EvaluationId, page: number, progress: readonly ExampleProgress[]): Promise<void>
  progress(scope: TenantScope, id: EvaluationId, page: number): Promise<readonly ExampleProgress[]>
  putAnswers(scope: TenantScope, id: EvaluationId, answers: readonly KeptAnswer[]): Promise<void>
  answers(scope: TenantScope, id: EvaluationId): Promise<readonly KeptAnswer[]>
  /** What it asked and was answered; what is kept of it stays. */
  removePages(scope: TenantScope, id: EvaluationId): Promise<void>
  /** All of it. */
  remove(scope: TenantScope, modelId: ModelId, id: EvaluationId): Promise<void>
}

type Records = Pick<SealedRecords, 'get' | 'put' | 'putIfAbsent' | 'replace' | 'remove' | 'ids' | 'values'>

const RUN_PREFIX = 'evaluations-'
const PAGE_PREFIX = 'evaluationpages-'
const ANSWERS_PREFIX = 'evaluationanswers-'
const PAGE_DIGITS = 4

export function createEvaluationStore(records: Records): EvaluationStore {
  const valueOf = async <T>(scope: TenantScope, id: string) => (await records.get<T>(scope, id))?.value
  const removePages = (scope: TenantScope, id: EvaluationId) => removeRecords(records, scope, [`${PAGE_PREFIX}${id}-`])
  return {
    get: (scope, modelId, id) => valueOf<EvaluationRun>(scope, runIdOf(modelId, id)),
    async *list(scope, modelId) {
      for await (const { value } of records.values<EvaluationRun>(scope, `${RUN_PREFIX}${modelId}-`)) yield value
    },
    change: (scope, { modelId, id }, edit) => changeRecord<EvaluationRun>(records, scope, runIdOf(modelId, id), edit),
    putExamples: (scope, id, page, examples) => records.put(scope, pageIdOf(id, page, 'examples'), examples),
    examples: async (scope, id, page) => {
      const examples = await valueOf<readonly SampledExample[]>(scope, pageIdOf(id, page, 'examples'))
      if (!examples) throw new Error(`page ${page} of ${id} is not there`)
      return examples
    },
    putProgress: (scope, id, page, progress) => records.put(scope, pageIdOf(id, page, 'progress'), progress),
    progress: async (scope, id, page) =>
      (await valueOf<readonly ExampleProgress[]>(scope, pageIdOf(id, page, 'progress'))) ?? [],
    putAnswers: (scope, id, answers) => records.put(scope, `${ANSWERS_PREFIX}${id}`, answers),
    answers: async (scope, id) => (await valueOf<readonly KeptAnswer[]>(scope, `${ANSWERS_PREFIX}${id}`)) ?? [],
    removePages,
    remove: async (scope, modelId, id) => {
      await removePages(scope, id)
      await records.remove(scope, `${ANSWERS_PREFIX}${id}`)
      await records.remove(scope, runIdOf(modelId, id))
    },
  }
}

const runIdOf = (modelId: ModelId, id: EvaluationId) => `${RUN_PREFIX}${modelId}-${id}`

const pageIdOf = (id: EvaluationId, page: number, of: 'examples' | 'progress') =>
  `${PAGE_PREFIX}${id}-${String(page).padStart(PAGE_DIGITS, '0')}-${of}`
