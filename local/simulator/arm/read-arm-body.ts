import type { z } from 'zod'
import type { JsonObject } from '../json-value'
import { ArmError } from './arm-answer'

/** The fields of a request that matter, or ARM's 400 that names the first one at fault. */
export function readArmBody<Schema extends z.ZodType>(schema: Schema, body: JsonObject): z.output<Schema> {
  const read = schema.safeParse(body)
  if (read.success) return read.data
  const [issue] = read.error.issues
  const text = `The request content was invalid and could not be deserialized: '${issue?.path.join('.')}: ${issue?.message}'.`
  throw new ArmError(400, 'InvalidRequestContent', text)
}

/** ARM writes regions either way, "Sweden Central" and "swedencentral"; resources keep the latter. */
export const normalLocation = (location: string) => location.toLowerCase().replaceAll(' ', '')
