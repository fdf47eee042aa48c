import { z } from 'zod'
import { BACKEND_KEY_SETTING } from '../base/backend-key-setting'
import { isEndpointUrl } from '../base/endpoint-url'
import { timeoutsInput } from './backend-timeouts'
import { throughputInput } from './throughput'

const NAME_CHARACTERS_MAX = 64
const URL_CHARACTERS_MAX = 200

const API_VERSION = /^(\d{4}-\d{2}-\d{2}(-preview)?|v1|preview|latest)$/
const REGION = /^[a-z][a-z0-9-]{0,39}$/
const DEPLOYMENT = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/

const endpoint = z
  .string()
  .max(URL_CHARACTERS_MAX)
  .transform((text) => text.replace(/\/+$/, ''))
  .refine(
    isEndpointUrl,
    'Must be an https:// URL (http:// too for this machine) without query, fragment and credentials',
  )

const api = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('azure-openai'),
    apiVersion: z.string().regex(API_VERSION, 'Must be a date such as "2024-10-21", or "v1"').default('2024-10-21'),
  }),
  z.strictObject({ kind: z.literal('openai-compatible') }),
])

const credential = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('api-key'),
    setting: z
      .string()
      .regex(
        BACKEND_KEY_SETTING,
        'Must name the app setting that holds the key: "AZURE_OPENAI_API_KEY", "OPENAI_API_KEY" or "TENANTRY_BACKEND_KEY_…"',
      ),
  }),
  z.strictObject({ kind: z.literal('identity') }),
  z.strictObject({ kind: z.literal('none') }),
])

const fields = {
  name: z.string().trim().min(1).max(NAME_CHARACTERS_MAX),
  api,
  endpoint,
  deployment: z.string().regex(DEPLOYMENT, 'Must be the name of a deployment, or of a model at its server'),
  credential,
  region: z.string().regex(REGION, 'Must be a region in lower case, such as "swedencentral", or "local"'),
  capacity: z.enum(['ptu', 'payg']),
  enabled: z.boolean(),
  throughput: throughputInput.meta({
    description: 'Of provisioned throughput: its capacity, so that calls spill over before it has to refuse them.',
  }),
  timeouts: timeoutsInput.meta({ description: 'In place of the defaults; what is left out stays at its default.' }),
}

export const backendInput = z.strictObject({
  ...fields,
  capacity: fields.capacity.default('payg'),
  enabled: fields.enabled.default(true),
  throughput: fields.throughput.optional(),
  timeouts: fields.timeouts.optional(),
})
export type BackendInput = z.infer<typeof backendInput>

/** A merge patch: what is absent stays; objects are replaced whole; null takes away what is optional. */
export const backendPatch = z
  .strictObject({ ...fields, throughput: fields.throughput.nullable(), timeouts: fields.timeouts.nullable() })
  .partial()
export type BackendPatch = z.infer<typeof backendPatch>
