import { fieldsOf, type JsonObject } from '../base/json-object'
import { readUsage } from '../inference/read-usage'
import { noTokens, type TokenUsage } from '../metering/usage-record'

/** What one line of a batch's output or error file says of its request. */
export interface OutputLine {
  readonly customId: string
  /** What the request was answered with; undefined where the model never answered. */
  readonly status: number | undefined
  /** Undefined where a good answer does not say it. */
  readonly usage: TokenUsage | undefined
}

/**
 * `{"custom_id","response":{"status_code","body":{…,"usage"}}|null,"error":null|{…}}` (azure-facts 4). What is no such line
 * is one that was not answered.
 */
export function readOutputLine(bytes: Buffer): OutputLine {
  const line = parse(bytes)
  const customId = typeof line['custom_id'] === 'string' ? line['custom_id'] : ''
  const response = fieldsOf(line['response'])
  const status = typeof response['status_code'] === 'number' ? response['status_code'] : undefined
  const usage = readUsage(fieldsOf(response['body'])['usage'])
  const isAnswered = status !== undefined && status < 400
  return { customId, status, usage: usage ?? (isAnswered ? undefined : noTokens) }
}

function parse(bytes: Buffer): JsonObject {
  try {
    return fieldsOf(JSON.parse(bytes.toString('utf8')))
  } catch {
    return {}
  }
}
