import { z } from 'zod'
import { budgetsInput } from '../tenants/budget'
import { aliasName, limitsInput } from '../tenants/tenant-input'
import { scopes } from './caller'

const NAME_CHARACTERS_MAX = 64
const ALIASES_MAX = 100

const DAY_MS = 86_400_000
/** Long enough to reach every client of a slow release, short enough that a leaked key does not live on unnoticed. */
const OVERLAP_MS_MAX = 7 * DAY_MS
const OVERLAP_MS_DEFAULT = DAY_MS

const scopeList = z
  .array(z.enum(scopes))
  .min(1)
  .max(scopes.length)
  .refine((list) => new Set(list).size === list.length, 'Must not name a scope twice')

export const keyName = z.string().trim().min(1).max(NAME_CHARACTERS_MAX)

export const keyInput = z.strictObject({
  name: keyName,
  scopes: scopeList.default(['inference']),
  aliases: z.array(aliasName).min(1).max(ALIASES_MAX).optional(),
  limits: limitsInput.optional(),
  budgets: budgetsInput.optional(),
  expiresAt: z.iso
    .datetime({ offset: true, error: 'Must be a time such as "2027-01-31T00:00:00Z"' })
    .transform((text) => Date.parse(text))
    .optional(),
})
export type KeyInput = z.infer<typeof keyInput>

/** `overlapMs`: how long the replaced key still works; 0 ends it at once. */
export const rotationInput = z.strictObject({
  overlapMs: z.int().min(0).max(OVERLAP_MS_MAX).default(OVERLAP_MS_DEFAULT),
})
