import { z } from 'zod'
import { stampInput } from './stamp-input'
import type { StoredStamp } from './stamps'

export const shownStamp = z
  .object({
    id: z.string(),
    ...stampInput.shape,
    reservedFor: z.string().nullable(),
    version: z.int().meta({ description: 'Rises with every change; in quotes the ETag.' }),
  })
  .meta({ id: 'Stamp' })

export const stampView = ({ stamp, version }: StoredStamp) => ({ ...stamp, version })

export const stampEtag = ({ version }: StoredStamp) => `"${version}"`
