import { z } from 'zod'
import { secretName } from './own-models-input'

const VALUE_CHARACTERS_MAX = 1_000
/** Printable ASCII without spaces: it goes into a header. */
const VALUE = /^[\x21-\x7e]+$/

/** How many a tenant may have handed over at a time. */
export const SECRETS_MAX = 20

/** A credential that a tenant hands over, such as the API key of its own account. It is never shown again. */
export const secretInput = z.strictObject({
  value: z
    .string()
    .min(1)
    .max(VALUE_CHARACTERS_MAX)
    .regex(VALUE, 'Must be 1 to 1000 printable characters without spaces'),
})

export const secretParams = z.object({ name: secretName })
export const shownSecrets = z.object({ secrets: z.array(z.object({ name: z.string() })), next: z.string().optional() })
