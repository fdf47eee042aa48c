import { Problem } from '../base/problem'
import { invalid } from '../inference/body-fields'
import type { FieldEdit } from '../inference/json-fields'
import type { Operation } from '../inference/operation'
import { parseCall, type Call } from '../inference/read-call'
import { chatCompletions } from '../inference/surfaces/chat-completions'
import { responses } from '../inference/surfaces/responses'
import type { ModelAlias } from '../tenants/snapshot'
import type { BatchKind } from './batch-endpoint'

/** What decisions need of the request in one line. */
export interface LineRequest {
  readonly model: string
  readonly promptTokens: number
  /** What the line allows for each of its answers; undefined where it sets no bound. */
  readonly outputTokens: number | undefined
  readonly outputParam: string | undefined
  readonly choices: number
  /** The field that bounds the output where the line does not. */
  readonly outputField: (cap: OutputCap) => string
  /** What else has to be set before it is sent. */
  readonly edits: readonly FieldEdit[]
}

/** Of an alias: how much output a request may have, and how its model's chat API names the bound. */
export type OutputCap = Pick<ModelAlias, 'outputTokensMax' | 'outputTokensField'>

interface LineSurface extends Pick<LineRequest, 'outputField' | 'edits'> {
  readonly operation: Operation
}

const surfaces: Readonly<Record<BatchKind, LineSurface>> = {
  chat: { operation: chatCompletions, outputField: ({ outputTokensField }) => outputTokensField, edits: [] },
  responses: {
    operation: responses,
    outputField: () => 'max_output_tokens',
    // The service's own default is to keep it.
    edits: [{ key: 'store', value: 'false' }],
  },
}

/** Reads a line's body as the surface reads a call's; what only the provider can judge is left to the provider. */
export function readRequest(kind: BatchKind, bytes: Buffer): LineRequest | Problem {
  const { operation, outputField, edits } = surfaces[kind]
  const call = parseCall({ kind: 'call', operation, family: 'v1', deployment: undefined, apiVersion: undefined }, bytes)
  if (call instanceof Problem) return call
  if (call.stream) return invalid('stream', 'is not available in batches')
  if (call.keeping?.isBackground) return invalid('background', 'is not available in batches')
  // What accounts keep belongs to nobody whom they know: nothing of a batch stays there.
  if (call.body['store'] === true)
    return invalid('store', 'must be false or left out: answers of a batch are in its output file only')
  const named = namedElsewhere(call)
  if (named !== undefined)
    return invalid(named, 'names something that is kept elsewhere; a batch has its content in its lines')
  return {
    model: call.alias,
    promptTokens: operation.promptTokens(call),
    outputTokens: call.outputTokens,
    outputParam: call.outputParam,
    choices: call.choices,
    outputField,
    edits: [...edits, ...(operation.edits?.(call) ?? [])],
  }
}

/** A call's references are proven one by one; of a line there are to be none. */
function namedElsewhere({ keeping, references }: Call): string | undefined {
  if (keeping?.previousId !== undefined) return 'previous_response_id'
  return [...(references?.items ?? []), ...(references?.files ?? [])][0]?.param
}
