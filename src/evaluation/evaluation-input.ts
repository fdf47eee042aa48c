import { z } from 'zod'
import { idBody, parseFileId } from '../base/ids'
import type { EvaluationWish } from '../registry/model-stages'
import { aliasName } from '../tenants/tenant-input'
import { GRADER_PROMPT_CHARACTERS_MAX } from './grade'
import { EXAMPLES_MAX, EXAMPLES_USUAL } from './sample-examples'

/** Of each evaluation, to be looked at by people. */
export const ANSWERS_KEPT_MAX = 20

const FILE_ID = `Must be the id of a file: "file-" and 26 characters`

const fileId = z
  .string(FILE_ID)
  .transform((text, context) => {
    const parsed = parseFileId(text)
    if (parsed !== undefined) return parsed
    context.addIssue({ code: 'custom', message: FILE_ID })
    return z.NEVER
  })
  .meta({ description: 'Held-out examples, uploaded with the purpose "fine-tune".', pattern: `^file-${idBody}$` })

/** Of `POST /api/tenant/models/{modelId}/evaluate`, and of a fine-tuning job. */
export const evaluationInput = z.strictObject({
  fileId,
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
