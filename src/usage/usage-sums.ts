import type { MicroUsd } from '../base/money'
import type { CallOutcome } from '../metering/usage-record'
import type { UsageSketches } from './usage-sketches'

/**
 * What is counted of calls. Whole numbers throughout, so that sums do not depend on the order of adding. Each call that a caller
 * may make counts in one of `calls`, `unsettled`, `refused` and `unavailable`.
 */
export interface UsageSums {
  /** Settled calls that were dispatched, of whatever outcome. */
  calls: number
  /** Calls that were dispatched and have not ended: under way, or cut short by a crash. Their tokens are not known. */
  unsettled: number
  /** Settled calls whose tokens are our own count, since the provider reported none. */
  estimated: number
  /** Settled calls of models for which the price book has no price; they add nothing to the cost. */
  unpriced: number
  promptTokens: number
  /** Part of `promptTokens`. */
  cachedTokens: number
  outputTokens: number
  /** Part of `outputTokens`. */
  reasoningTokens: number
  costMicroUsd: MicroUsd
  /** Sum over settled calls, from arrival to last byte. The mean is `latencyMs / calls`. */
  latencyMs: number
  /** Sum over the calls that sent a first byte, and how many they were. */
  firstByteMs: number
  firstByteCalls: number
  /** Part of `promptTokens`. */
  imageTokens: number
  images: number
  /** Of sound that was heard, milliseconds. */
  audioMs: number
  /** Of text that was spoken. */
  characters: number
  /**
   * Prompts, by our estimate, of backends that were asked for the same answer and given up. No part of `promptTokens`, which
   * are the provider's figure; part of the cost, and of what limits and budgets count.
   */
  hedgedTokens: number
  /** Sum over the calls that waited for their turn at the backends, and how many they were. */
  queuedMs: number
  queuedCalls: number
  /** Attempts that a backend answered with 429, whatever became of their calls. */
  throttled: number
  /** Calls that we answered with 429 ourselves and sent to no backend: for a rate, a budget, or a full queue. */
  refused: number
  /** Calls that we answered with 5xx and sent to no backend. */
  unavailable: number
  /**
   * Of the calls that were not answered, those whose problem is their caller’s, who went away, and those whose problem is the
   * tenant’s: its limits, a model that it lets sleep, an account of its own that refuses. Told by the registry of problems.
   */
  callerFaults: number
  tenantFaults: number
}

/** Every field of UsageSums, in the order in which rows store them; new ones go to the end. */
export const sumFields = [
  'calls',
  'unsettled',
  'estimated',
  'unpriced',
  'promptTokens',
  'cachedTokens',
  'outputTokens',
  'reasoningTokens',
  'costMicroUsd',
  'latencyMs',
  'firstByteMs',
  'firstByteCalls',
  'imageTokens',
  'images',
  'audioMs',
  'characters',
  'hedgedTokens',
  'queuedMs',
  'queuedCalls',
  'throttled',
  'refused',
  'unavailable',
  'callerFaults',
  'tenantFaults',
] as const satisfies readonly (keyof UsageSums)[]

export function zeroSums(): UsageSums {
  return {
    calls: 0,
    unsettled: 0,
    estimated: 0,
    unpriced: 0,
    promptTokens: 0,
    cachedTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    costMicroUsd: 0,
    latencyMs: 0,
    firstByteMs: 0,
    firstByteCalls: 0,
    imageTokens: 0,
    images: 0,
    audioMs: 0,
    characters: 0,
    hedgedTokens: 0,
    queuedMs: 0,
    queuedCalls: 0,
    throttled: 0,
    refused: 0,
    unavailable: 0,
    callerFaults: 0,
    tenantFaults: 0,
  }
}

export function addSums(total: UsageSums, more: Readonly<UsageSums>): void {
  for (const field of sumFields) total[field] += more[field]
}

export const isZero = (sums: Readonly<UsageSums>) => sumFields.every((field) => sums[field] === 0)

/** How a call ended, or that it has not, or that it never reached a backend: then it has none, nor a deployment or region. */
export type UsageOutcome = CallOutcome | 'unsettled' | 'refused' | 'unavailable'

/** What calls are told apart by. */
export interface UsageGroup {
  readonly key: string
  readonly alias: string
  readonly model: string
  readonly operation: string
  readonly outcome: UsageOutcome
  readonly backend: string | null
  readonly deployment: string | null
  readonly region: string | null
}

/** Every field of UsageGroup, in the order in which rows store them; new ones go to the end. */
export const groupFields = [
  'key',
  'alias',
  'model',
  'operation',
  'outcome',
  'backend',
  'deployment',
  'region',
] as const satisfies readonly (keyof UsageGroup)[]

export type GroupField = (typeof groupFields)[number]

/** Equal for equal groups only; also their order within a row. */
export const groupKey = (group: UsageGroup) => JSON.stringify(groupFields.map((field) => group[field]))

export interface GroupSums {
  readonly group: UsageGroup
  readonly sums: Readonly<UsageSums>
  /** Whoever adds to them makes their own first: these may be shared. */
  readonly sketches: UsageSketches
}
