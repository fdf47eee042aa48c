import type { JsonSchema } from '../../../src/http/openapi-document'

/** A value that differs from a sound one in one field, at a bound of the field's schema or beside it. */
export interface Trial {
  /** The field in terms of the schema, with the variant that it is in: `aliases[].groups[]`, `credential<identity>.kind`. */
  readonly field: string
  readonly what: string
  /** The whole of what is sent. */
  readonly sent: unknown
  /** Undefined where the schema takes it. */
  readonly refusal: Refusal | undefined
}

export interface Refusal {
  /** The field in the request's own terms: `aliases.0.groups`. */
  readonly path: string
  /** What its message must say of what would be valid. */
  readonly says: RegExp
}

/** Where a walk has come to. */
export interface Place {
  readonly schema: JsonSchema
  readonly value: unknown
  readonly field: string
  readonly path: string
  /** The whole, with another value here; without the field where that is undefined. */
  readonly put: (value: unknown) => unknown
  readonly components: Readonly<Record<string, JsonSchema>>
}

export const accept = ({ field, put }: Place, what: string, value: unknown): Trial => ({
  field,
  what,
  sent: put(value),
  refusal: undefined,
})

export const refuse = ({ field, path, put }: Place, what: string, value: unknown, says: RegExp): Trial => ({
  field,
  what,
  sent: put(value),
  refusal: { path, says },
})
