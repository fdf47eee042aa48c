import type { MicroUsd } from '../base/money'
import { noTokens, type TokenUsage } from '../metering/usage-record'
import type { ModelAlias } from '../tenants/snapshot'
import { readLine, noModel, type BatchLine } from './batch-line'
import type { BatchEndpoint } from './batch-endpoint'
import { BATCH_FAULTS_MAX, batchFault, type BatchFault } from './batch-record'
import { readLines } from './read-lines'

/** Azure's (azure-facts 4). */
const BATCH_LINES_MAX = 100_000
export const BATCH_BYTES_MAX = 200 * 1024 * 1024

export interface CheckRules {
  readonly endpoint: BatchEndpoint
  /** What the request named; undefined where only the lines do. */
  readonly model: string | undefined
  /** An alias that the caller may use for batches, by its name. */
  readonly aliasOf: (name: string) => ModelAlias | undefined
  readonly costOf: (model: string, usage: TokenUsage) => MicroUsd | undefined
}

export type InputCheck =
  | { readonly kind: 'refused'; readonly faults: readonly BatchFault[] }
  | {
      readonly kind: 'sound'
      readonly alias: ModelAlias
      readonly lines: number
      readonly promptTokens: number
      /** The prompts and all the output that the lines allow. */
      readonly tokens: number
      /** Undefined where the model has no price. */
      readonly microUsd: MicroUsd | undefined
    }

/** Reads the whole file once, line by line. Faults are Azure's, up to `BATCH_FAULTS_MAX` of them. */
export async function checkInput(file: AsyncIterable<Uint8Array>, rules: CheckRules): Promise<InputCheck> {
  const faults: BatchFault[] = []
  const seen = new Set<string>()
  let sum: Sum | undefined
  let lines = 0
  for await (const fileLine of readLines(file)) {
    if (lines === 0 && hasMark(fileLine.bytes)) return refused(batchFault('invalid_request', MARKED))
    lines += 1
    if (lines > BATCH_LINES_MAX)
      return refused(batchFault('too_many_tasks', `The input file has more than ${BATCH_LINES_MAX} requests.`))
    const line = readLine(fileLine, rules.endpoint)
    const fault = 'code' in line ? line : faultOf(line, { number: fileLine.number, alias: sum?.alias, seen, rules })
    if (fault) {
      faults.push(fault)
      if (faults.length >= BATCH_FAULTS_MAX) break
    }
    if ('code' in line) continue
    seen.add(line.customId)
    sum = added(sum, line, rules)
  }
  if (lines === 0) return refused(batchFault('empty_file', 'The input file has no requests.'))
  if (faults.length > 0 || !sum) return refused(...faults)
  const { alias, promptTokens, outputTokens, microUsd } = sum
  return { kind: 'sound', alias, lines, promptTokens, tokens: promptTokens + outputTokens, microUsd }
}

const refused = (...faults: readonly BatchFault[]): InputCheck => ({ kind: 'refused', faults })

interface Sum {
  readonly alias: ModelAlias
  readonly promptTokens: number
  readonly outputTokens: number
  readonly microUsd: MicroUsd | undefined
}

/** The first sound line says which alias it is. Each line has a price of its own: long prompts cost more. */
function added(sum: Sum | undefined, { request }: BatchLine, { aliasOf, costOf }: CheckRules): Sum | undefined {
  const alias = sum?.alias ?? aliasOf(request.model)
  if (!alias) return undefined
  const { promptTokens } = request
  const outputTokens = (request.outputTokens ?? alias.outputTokensMax) * request.choices
  const cost = costOf(alias.model, { ...noTokens, promptTokens, outputTokens })
  if (!sum) return { alias, promptTokens, outputTokens, microUsd: cost }
  return {
    alias,
    promptTokens: sum.promptTokens + promptTokens,
    outputTokens: sum.outputTokens + outputTokens,
    microUsd: sum.microUsd === undefined || cost === undefined ? undefined : sum.microUsd + cost,
  }
}

function faultOf(
  { customId, request }: BatchLine,
  context: { number: number; alias: ModelAlias | undefined; seen: ReadonlySet<string>; rules: CheckRules },
): BatchFault | undefined {
  const { number: line, seen, rules } = context
  const expected = rules.model ?? context.alias?.name
  if (expected !== undefined && request.model !== expected)
    return batchFault('model_mismatch', noModel, { line, param: 'body.model' })
  // One that this key may not use, or that is no batch deployment, looks like one that does not exist.
  const alias = context.alias ?? rules.aliasOf(request.model)
  if (!alias) return batchFault('model_not_found', NO_BATCH_MODEL, { line, param: 'body.model' })
  if (seen.has(customId))
    return batchFault('duplicate_custom_id', "An earlier line has this 'custom_id'.", { line, param: 'custom_id' })
  if (request.outputTokens !== undefined && request.outputTokens > alias.outputTokensMax) {
    const text = `'${request.outputParam}' is ${request.outputTokens}; the cap is ${alias.outputTokensMax}.`
    return batchFault('invalid_request', text, { line, param: `body.${request.outputParam}` })
  }
  return undefined
}

const NO_BATCH_MODEL = 'There is no such model alias for this credential that serves batches.'
/** Azure takes no file with a byte order mark. */
const MARKED = 'The input file begins with a byte order mark; save it as UTF-8 without one.'

const hasMark = (line: Buffer) => line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf
