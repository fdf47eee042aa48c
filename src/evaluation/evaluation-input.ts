import { z } from 'zod'
import { fileIdInput } from '../files/file-id-input'
import type { EvaluationWish } from '../registry/model-stages'
import { aliasName } from '../tenants/tenant-input'
import { GRADER_PROMPT_CHARACTERS_MAX } from './grade'
import { EXAMPLES_MAX, EXAMPLES_USUAL } from './sample-examples'

/** Of each evaluation, to be looked at by people. */
const ANSWERS_KEPT_MAX = 20

/** Of `POST /api/tenant/models/{modelId}/evaluate`, and of a fine-tuning job. */
export const evaluationInput = z.strictObject({
  fileId: fileIdInput.meta({ description: 'Held-out examples, uploaded with the purpose "fine-tune".' }),
  sampleMax: z
    .int()
    .min(1)
    .max(EXAMPLES_MAX)
    .default(EXAMPLES_USUAL)
    .meta({ description: 'Examples of the file that each model is asked; always the same ones of a file.' }),
  grader: z
    .strictObject({ alias: aliasName, prompt: z.string().min(1).max(GRADER_PROMPT_CHARACTERS_MAX) })
    .optional()
    .meta({ description: 'The alias of yours that grades answers, and what it is told.' }),
  answersKept: z
    .int()
    .min(0)
    .max(ANSWERS_KEPT_MAX)
    .default(0)
    .meta({ description: 'Of so many examples the answers themselves are kept to be looked at.' }),
})

export const evaluationWishOf = ({ fileId: id, ...rest }: z.infer<typeof evaluationInput>): EvaluationWish => ({
  fileId: id,
  ...rest,
})
