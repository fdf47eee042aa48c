import { z } from 'zod'
import { idInput } from '../base/id-input'
import { parseTuningJobId } from '../base/ids'
import { Problem } from '../base/problem'
import { evaluationInput, evaluationWishOf } from '../evaluation/evaluation-input'
import { fileIdInput } from '../files/file-id-input'
import { METADATA_PAIRS_MAX, METADATA_VALUE_CHARACTERS_MAX } from '../inference/read-metadata'
import { deploymentSkus } from '../registry/model-version'
import { promotionInput, stepsOf } from '../registry/promotion-input'
import type { TuningWishes } from './tuning-job'
import { hyperparameterBounds, reasoningEfforts } from './read-hyperparameters'
import { GRADER_BYTES_MAX, readTuningOrder, type AskedTuning } from './tuning-order'

const MODEL_CHARACTERS_MAX = 256
const SUFFIX_CHARACTERS_MAX = 40
const SEED_MAX = 2_147_483_647
const CAPACITY_MAX = 100_000
const APPROVAL_HOURS_MAX = 30 * 24
const METRIC_CHARACTERS_MAX = 64
const REASON_CHARACTERS_MAX = 500

const atMost = <Value extends z.ZodType>(pairs: number, value: Value) =>
  z
    .record(z.string(), value)
    .refine((all) => Object.keys(all).length <= pairs, `Must have at most ${pairs} entries`)
    .meta({ maxProperties: pairs })

export const tuningJobId = idInput({
  prefixes: ['ftjob'],
  joint: '-',
  parse: parseTuningJobId,
  of: 'a fine-tuning job',
})

const deploy = z.strictObject({
  sku: z.enum(deploymentSkus).default('Standard'),
  capacity: z.int().min(1).max(CAPACITY_MAX).default(50).meta({ description: 'Thousands of tokens per minute.' }),
})

const gate = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('threshold'),
    metric: z.string().min(1).max(METRIC_CHARACTERS_MAX),
    scoreMin: z.number().min(0).max(1),
  }),
  z.strictObject({ kind: z.literal('approval'), timeoutHours: z.int().min(1).max(APPROVAL_HOURS_MAX).default(72) }),
])

const bounded = (name: keyof typeof hyperparameterBounds) => {
  const { min, max, isWhole } = hyperparameterBounds[name]
  return (isWhole ? z.int() : z.number()).min(min).max(max).optional()
}

const hyperparameters = z
  .strictObject({
    n_epochs: bounded('n_epochs'),
    batch_size: bounded('batch_size'),
    learning_rate_multiplier: bounded('learning_rate_multiplier'),
    prompt_loss_weight: bounded('prompt_loss_weight'),
    beta: bounded('beta'),
    eval_interval: bounded('eval_interval'),
    eval_samples: bounded('eval_samples'),
    compute_multiplier: bounded('compute_multiplier'),
    reasoning_effort: z.enum(reasoningEfforts).optional(),
  })
  .meta({ description: 'Of the method; what is absent the provider chooses.' })

/** As OpenAI's graders are, which the provider judges. */
const grader = z
  .record(z.string(), z.unknown())
  .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= GRADER_BYTES_MAX, {
    message: `Must be at most ${GRADER_BYTES_MAX} bytes`,
  })
  .meta({ description: 'Of the method "reinforcement".' })

/** Of `POST /api/tenant/tuning/jobs`. Names and bounds of what trains are OpenAI's; `readTuningOrder` knows them. */
export const tuningJobInput = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .max(MODEL_CHARACTERS_MAX)
      .meta({ description: 'A base model, or one of your tuned models.' }),
    trainingFile: fileIdInput,
    validationFile: fileIdInput.optional(),
    method: z.enum(['supervised', 'dpo', 'reinforcement']).optional(),
    hyperparameters: hyperparameters.optional(),
    grader: grader.optional(),
    suffix: z.string().min(1).max(SUFFIX_CHARACTERS_MAX).optional(),
    seed: z.int().min(0).max(SEED_MAX).optional(),
    trainingType: z.enum(['standard', 'globalstandard', 'developertier']).default('standard'),
    metadata: atMost(METADATA_PAIRS_MAX, z.string().max(METADATA_VALUE_CHARACTERS_MAX)).optional(),
    consent: z
      .literal(true, 'Must be true: the files are sent to a model account of the platform for this training')
      .optional()
      .meta({
        description:
          'That the files may be sent to a model account, to train this model and nothing else. Absent only where each is a dataset with consent.',
      }),
    deploy: deploy.nullable().optional().meta({
      description: 'How the model is deployed. Absent: as its training type suggests; null: not at all.',
    }),
    evaluate: evaluationInput.optional().meta({
      description: 'Absent where the gate is a threshold: by the validation file.',
    }),
    gate: gate.optional(),
    route: promotionInput.optional().meta({ description: 'The alias that is led to the model, as with a promotion.' }),
  })
  .superRefine((input, context) => {
    const fault = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message })
    for (const name of ['evaluate', 'gate', 'route'] as const)
      if (input[name] && input.deploy === null) fault(name, 'A model that is not deployed cannot have this')
    if (input.grader && input.method !== 'reinforcement') fault('grader', 'Only the method "reinforcement" has one')
    if (input.gate?.kind === 'threshold' && !input.evaluate && input.validationFile === undefined)
      fault('gate', 'A threshold needs an evaluation: name a file in `evaluate`, or a validation file')
    if (input.evaluate?.fileId === input.trainingFile)
      fault('evaluate', 'Must be another file than the one that is trained on: what is known by heart shows nothing')
    if (input.validationFile !== undefined && input.validationFile === input.trainingFile)
      fault('validationFile', 'Must be another file than the one that is trained on')
  })

export const tuningDecisionInput = z.strictObject({
  approved: z.boolean(),
  reason: z.string().trim().min(1).max(REASON_CHARACTERS_MAX).optional(),
})

type Input = z.infer<typeof tuningJobInput>

/** The same order as OpenAI's body makes, with the same faults. */
export function orderOfInput(input: Input): AskedTuning | Problem {
  const { method, hyperparameters, grader } = input
  return readTuningOrder({
    model: input.model,
    training_file: input.trainingFile,
    validation_file: input.validationFile,
    ...(method === undefined
      ? { hyperparameters }
      : { method: { type: method, [method]: { hyperparameters, ...(grader ? { grader } : {}) } } }),
    suffix: input.suffix,
    seed: input.seed,
    trainingType: input.trainingType,
    metadata: input.metadata,
  })
}

/** Where a field of OpenAI's body stands in this one. */
const ownNames: readonly (readonly [theirs: RegExp, ours: string])[] = [
  [/^training_file$/, 'trainingFile'],
  [/^validation_file$/, 'validationFile'],
  [/^method\.type$/, 'method'],
  [/^method\.\w+\.(?=hyperparameters\b|grader\b)/, ''],
]

/** What is wrong with the order, told by the fields of the tenant API. */
export function inOwnTerms(problem: Problem): Problem {
  const { code, param } = problem
  if (param === undefined) return problem
  const own = ownNames.reduce((name, [theirs, ours]) => name.replace(theirs, ours), param)
  return own === param ? problem : new Problem(code, problem.public.replaceAll(param, own), { param: own })
}

/** What comes after the training; `deploy` is left out where the platform chooses. */
export const wishesOfInput = ({
  deploy,
  evaluate,
  gate,
  route,
  validationFile,
}: Input): TuningWishes & { readonly isDeployed: boolean } => ({
  isDeployed: deploy !== null,
  ...(deploy ? { deploy } : {}),
  ...(evaluate ? { evaluate: evaluationWishOf(evaluate) } : {}),
  ...(!evaluate && gate?.kind === 'threshold' && validationFile ? { evaluate: { fileId: validationFile } } : {}),
  ...(gate ? { gate } : {}),
  ...(route ? { route: { alias: route.alias, steps: stepsOf(route), rollBackOn: route.rollBackOn } } : {}),
})
