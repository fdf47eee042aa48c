import type { MicroUsd } from '../base/money'
import type { Day, Period } from './calendar'

/** One line of an invoice. Its amount was rounded once (R1 of rounding.ts); an invoice's total is the sum of its lines. */
export interface InvoiceLine {
  readonly kind: LineKind
  /** What it is of, in words. */
  readonly text: string
  readonly from: Day
  /** Exclusive. */
  readonly to: Day
  readonly alias?: string | undefined
  readonly model?: string | undefined
  /** A backend's id, a credit's, or the month that a correction is of. */
  readonly of?: string | undefined
  readonly quantity: number
  readonly unit: LineUnit
  /** By the price book, before the plan; 0 where it says nothing of it. */
  readonly listMicroUsd: MicroUsd
  /** Below 0 for what is given back. */
  readonly microUsd: MicroUsd
  /** Of `quantity`, calls for which there was no price: they are billed at nothing. */
  readonly unpriced?: number | undefined
}

export const lineKinds = [
  /** Calls by their tokens, with an alias and its model. */
  'inference',
  /** Calls by their number. */
  'requests',
  'subscription',
  /** Beyond a subscription's quota. */
  'overage',
  'batch',
  'training',
  'hosting',
  'storage',
  /** A share of provisioned throughput, by use. */
  'provisioned',
  /** What is missing to the least that a month costs. */
  'minimum',
  'credit',
  /** What an operator adds by hand. */
  'charge',
  /** Usage of the month before that was counted after its invoice. */
  'correction',
  /** Credit left over from the month before. */
  'carried-over',
  /** Credit that is left for the next month. */
  'carried-forward',
] as const
type LineKind = (typeof lineKinds)[number]

export const lineUnits = ['tokens', 'requests', 'hours', 'byte-days', 'months', 'usd'] as const
export type LineUnit = (typeof lineUnits)[number]

/** What is neither earned nor given, only moved from month to month. */
export const isCarried = ({ kind }: InvoiceLine): boolean => kind === 'carried-over' || kind === 'carried-forward'

export const sumOf = (lines: Iterable<{ readonly microUsd: MicroUsd }>): MicroUsd => {
  let sum = 0
  for (const { microUsd } of lines) sum += microUsd
  return sum
}

/** A part of a month under one plan: days from `from` to before `to`, of a month with `days`. */
export interface Segment {
  readonly from: Day
  readonly to: Day
  /** Days of the month that are over when it begins and when it ends, and all of them. */
  readonly begins: number
  readonly ends: number
  readonly days: number
  readonly period: Period
}
