import { z } from 'zod'
import { idBody, parseFileId } from '../base/ids'

const VALID = 'Must be the id of a file: "file-" and 26 characters'

/** The id of a file, as OpenAI spells it. */
export const fileIdInput = z
  .string(VALID)
  .transform((text, context) => {
    const parsed = parseFileId(text)
    if (parsed !== undefined) return parsed
    context.addIssue({ code: 'custom', message: VALID })
    return z.NEVER
  })
  .meta({ description: VALID, pattern: `^file-${idBody}$` })
