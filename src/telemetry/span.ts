import type { AttributeName } from './names'

/** A span that is over, in the terms of OpenTelemetry: what is written in the words of whoever takes it. */
export interface Span {
  readonly name: string
  /** `server` and `consumer` are requests to us, `client` is one of ours to somebody else. */
  readonly kind: 'server' | 'consumer' | 'client' | 'internal'
  readonly traceId: string
  readonly spanId: string
  /** Undefined where the trace begins here. */
  readonly parentSpanId: string | undefined
  /** Unix milliseconds, with fractions. */
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Attributes
  readonly isError: boolean
  /** The share of spans like it that are kept: 0.1 stands for ten. */
  readonly ratio: number
}

/** Ids, names of ours and numbers, never content; undefined ones are left out. */
export type Attributes = Readonly<Partial<Record<AttributeName, string | number | boolean | undefined>>>
