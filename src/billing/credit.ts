import { z } from 'zod'
import type { Chance } from '../base/chance'
import type { Clock } from '../base/clock'
import { encodeBase32, encodeTime, idBody } from '../base/ids'
import type { MicroUsd } from '../base/money'
import { periodInput, type Period } from './calendar'

/** Of what an operator gives a tenant, or adds to its bill. */
export type CreditId = `crd_${string}`

/** Entered once and never changed: whoever was wrong enters the opposite. It goes on the next invoice that is issued. */
export interface Credit {
  readonly id: CreditId
  /** A `charge` is to be paid beside what was used. */
  readonly kind: 'credit' | 'charge'
  /** Above 0, of either kind. */
  readonly microUsd: MicroUsd
  /** Shown to the tenant. */
  readonly reason: string
  /** The month that it is about, where it is about one. */
  readonly period?: Period | undefined
  /** The operator's name, as the audit log has it. */
  readonly by: string
  /** Unix milliseconds. */
  readonly createdAt: number
}

const MICRO_USD_MAX = 1_000_000_000_000
const REASON_CHARACTERS_MAX = 300

export const creditInput = z.strictObject({
  kind: z.enum(['credit', 'charge']),
  microUsd: z.int().min(1).max(MICRO_USD_MAX),
  reason: z.string().trim().min(1).max(REASON_CHARACTERS_MAX).meta({ description: 'Shown to the tenant.' }),
  period: periodInput.optional().meta({ description: 'The month that it is about, where it is about one.' }),
})

const CHANCE_BYTES = 10
const ID = new RegExp(`^crd_${idBody}$`)

/** As ids of ids.ts are made: they sort by age. */
export const newCreditId = ({ clock, chance }: { clock: Clock; chance: Chance }): CreditId =>
  `crd_${encodeTime(clock.now())}${encodeBase32(chance.bytes(CHANCE_BYTES))}`

export const parseCreditId = (text: string): CreditId | undefined => (ID.test(text) ? (text as CreditId) : undefined)
