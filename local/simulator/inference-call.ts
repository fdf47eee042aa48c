import type { Spent } from './admission'
import type { Deployment } from './deployment'
import { operationNotSupported } from './errors'
import type { Exchange } from './exchange'
import { chooseFault, playInsteadOfAnswer } from './fault-play'
import type { AimedFault, ChosenFault } from './faults'
import type { FormFile } from './form-body'
import type { Hints } from './hints'
import type { JsonObject } from './json-value'
import type { ModelAccount } from './model-account'
import type { ModelFacts } from './model-catalogue'
import { modelOperations, type OperationName } from './model-operations'
import type { Resource } from './resource'

/** One inference call whose credential and deployment are known and whose body is JSON, or a form. */
export interface InferenceCall {
  readonly resource: Resource
  readonly account: ModelAccount
  readonly exchange: Exchange
  readonly operation: OperationName
  readonly deployment: Deployment
  /** The fields of a form are strings. */
  readonly body: JsonObject
  /** None where the body is JSON. */
  readonly files: readonly FormFile[]
  readonly dialect: 'azure' | 'compatible'
  readonly apiVersion: string
  readonly headerFaults: readonly AimedFault[]
}

/** True where the deployment's model cannot do what is asked, which then is answered. */
export function refuseWrongModel(
  { exchange, deployment, operation }: InferenceCall,
  kinds: readonly ModelFacts['kind'][],
): boolean {
  const { facts, config } = deployment
  if (kinds.includes(facts.kind) && config.admission.kind !== 'batch') return false
  exchange.refuse(operationNotSupported(modelOperations[operation].plainName, config.model))
  return true
}

/** What a call asks of its deployment's limit; undefined output where the caller set no maximum. */
export interface Asked {
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly outputTokensMax: number | undefined
}

/** A call that was let in, with the fault that may yet spoil or delay its answer. */
export interface Begun {
  readonly headers: readonly string[]
  readonly fault: ChosenFault | undefined
}

/**
 * Lets a call in and plays a fault that comes instead of an answer. Undefined: the call is answered. `work` is what is
 * charged, where that is not the call itself.
 */
export function beginCall(
  call: InferenceCall,
  asked: Asked,
  hints: Hints | undefined,
  work: Pick<Exchange, 'record' | 'onEnd'> = call.exchange,
): Begun | undefined {
  const { exchange, deployment, operation, apiVersion, account } = call
  const admitted = deployment.admission.admit({
    deployment: deployment.name,
    model: deployment.facts.name,
    operation: modelOperations[operation].azureName,
    apiVersion,
    region: account.region,
    ...asked,
  })
  if (admitted.kind === 'refused') {
    exchange.refuse(admitted.refusal)
    return undefined
  }
  work.onEnd(() => admitted.settle(work.record satisfies Spent))
  const fault = chooseFault(deployment, call.headerFaults, hints?.faults)
  if (fault !== undefined && playInsteadOfAnswer(exchange, fault)) return undefined
  work.record.promptTokens = asked.promptTokens
  work.record.cachedTokens = asked.cachedTokens
  return { headers: admitted.headers, fault }
}

/** How much later a fault makes the first byte. */
export const lateMs = (chosen: ChosenFault | undefined): number =>
  chosen?.fault.kind === 'slow-first-token' ? chosen.fault.delayMs : 0
