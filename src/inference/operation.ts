import type { Problem } from '../base/problem'
import type { Capability } from '../tenants/snapshot'
import type { Grant } from './authorize'
import type { TokenUsage } from '../metering/usage-record'
import type { Keeping } from './binding'
import type { FieldEdit } from './json-fields'
import type { References } from './references'
import type { Call } from './read-call'

/**
 * What an inference endpoint can be asked to do. Every surface is a row of this kind (`surfaces/`); none has a way of its own
 * through `serve`.
 */
export interface Operation {
  /** As the usage log names it. */
  readonly name: OperationName
  readonly method: 'POST'
  /** The path behind `/openai/v1`, `/openai` or `/openai/deployments/{deployment}`. */
  readonly path: string
  /** The first of Azure's dated versions that has it; absent: all have it. v1 has all. */
  readonly since?: string
  /** Dated versions have it beside their deployments, with the deployment in the body. Absent where it belongs to a deployment. */
  readonly isOfAccount?: true
  /** What the alias must be able to do. */
  readonly capability: Capability
  /** JSON, or a form with files. */
  readonly body: 'json' | 'form'
  /** The shape of its events where the body asks for a stream; undefined where it cannot. */
  readonly events: EventShape | undefined
  /** Checks what decisions depend on; what only the provider can judge (roles, tools, schemas) is left to the provider. */
  readonly read: (body: Body, files: readonly string[]) => Reading | Problem
  /** Tokens of the prompt, by its length. */
  readonly promptTokens: (call: Call) => number
  /** Which field names the bound of the output, where the alias's cap bounds it. */
  readonly outputField: ((grant: Grant) => string) | undefined
  /** Output tokens of each answer to reserve for where the alias has no cap on them. */
  readonly requestedOutput?: (call: Call) => number
  /** The usage that a whole answer reports; by default as OpenAI's usage object says it. */
  readonly usageOf?: (answer: Buffer, call: Call) => TokenUsage | undefined
  /** A success may be text in place of JSON: subtitles, or what was said and nothing else. */
  readonly mayAnswerText?: true
  /** A success is neither JSON nor events, and goes on as its bytes come. */
  readonly answersBytes?: true
  /** What else has to be set in the body before it is sent on. */
  readonly edits?: (call: Call) => readonly FieldEdit[]
}

/** Where a stream's events hold what was generated (`TextTally`). */
export type EventShape = 'chat' | 'completions' | 'responses' | 'images' | 'transcript'

export type OperationName =
  | 'chat.completions'
  | 'completions'
  | 'responses'
  | 'embeddings'
  | 'images.generations'
  | 'images.edits'
  | 'audio.transcriptions'
  | 'audio.translations'
  | 'audio.speech'

export type Body = Readonly<Record<string, unknown>>

/** What a body says that decisions depend on. */
export interface Reading {
  readonly stream: boolean
  /** Whether the client asked for the usage chunk itself. */
  readonly wantsUsageChunk: boolean
  /** The output tokens that the client allows for each of its choices; undefined where it sets no bound. */
  readonly outputTokens: number | undefined
  /** The field that says so. */
  readonly outputParam: string | undefined
  /** How many answers it asks for. */
  readonly choices: number
  /** What it names that is stored; undefined where it names nothing. */
  readonly references?: References | undefined
  /** Of a response. */
  readonly keeping?: Keeping | undefined
}
