import { z } from 'zod'
import { idInput } from '../base/id-input'
import { parseDatasetId, parseLinkUploadId } from '../base/ids'
import { FILE_BYTES_MAX, FILENAME_CHARACTERS_MAX } from '../files/file-bounds'
import { fileIdInput } from '../files/file-id-input'

const MODEL_CHARACTERS_MAX = 256
/** Azure's own bound is not stated; OpenAI's is lower for every model. */
const EPOCHS_MAX = 100

export const datasetId = idInput({ prefixes: ['dts'], parse: parseDatasetId, of: 'a dataset' })
export const linkUploadId = idInput({ prefixes: ['upl'], parse: parseLinkUploadId, of: 'an upload by link' })

const consent = z
  .literal(true, 'Must be true where it is given')
  .meta({ description: 'That jobs may send the file to a model account, to train models of yours and nothing else.' })

/** Of `POST /api/tenant/datasets`. */
export const datasetInput = z.strictObject({
  file: fileIdInput,
  baseModel: z.string().min(1).max(MODEL_CHARACTERS_MAX).meta({ description: 'What is to be trained on it.' }),
  method: z
    .enum(['supervised', 'dpo', 'reinforcement'])
    .optional()
    .meta({ description: 'Absent: the first that the model can be trained by.' }),
  role: z.enum(['training', 'validation']).default('training'),
  trainingType: z.enum(['standard', 'globalstandard', 'developertier']).default('standard'),
  epochs: z.int().min(1).max(EPOCHS_MAX).optional().meta({ description: 'Absent: estimated, as the provider would.' }),
  validation: datasetId.optional(),
  consent: consent.optional(),
})

export type DatasetInput = z.infer<typeof datasetInput>

export const leakageInput = z.strictObject({ validation: datasetId })

export const consentInput = z.strictObject({ consent })

const NAME = 'Must be 1 to 512 characters, none of them a control character'

/** Of `POST /api/tenant/datasets/uploads`. */
export const linkUploadInput = z.strictObject({
  filename: z
    .string()
    .min(1)
    .max(FILENAME_CHARACTERS_MAX)
    // eslint-disable-next-line no-control-regex
    .regex(/^[^\u0000-\u001f\u007f]*$/, NAME),
  bytes: z
    .int()
    .min(1)
    .max(FILE_BYTES_MAX)
    .optional()
    .meta({ description: 'What the whole file will have; then an upload of another size is not taken.' }),
})
