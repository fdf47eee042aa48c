import { z } from 'zod'
import type { TenantScope } from '../storage/tenant-scope'

/** What is done about a tenant in others' way, from the least to the most. */
export const rungs = ['notify', 'lower-weight', 'throttle', 'quarantine'] as const
export type Rung = (typeof rungs)[number]

const minutes = (most: number) => z.int().min(1).max(most)
const MINUTES_A_DAY = 24 * 60

export const noisyPolicyInput = z
  .strictObject({
    rungMax: z.enum(rungs).meta({ description: 'How far it goes: `notify` tells operators and does nothing else.' }),
    notifyMinutes: minutes(MINUTES_A_DAY).meta({
      description: 'Others suffer for so long before its weight is lowered.',
    }),
    lowerWeightMinutes: minutes(MINUTES_A_DAY).meta({
      description: 'And so long with less weight before it is throttled.',
    }),
    throttleMinutes: minutes(MINUTES_A_DAY).meta({ description: 'And so long throttled before it is quarantined.' }),
    quarantineMinutes: minutes(MINUTES_A_DAY).meta({
      description: 'How long a quarantine lasts; each further one of the same finding twice as long, up to a day.',
    }),
    calmMinutes: minutes(MINUTES_A_DAY).meta({
      description: 'Calm for so long, and the last rung is undone, one after the other.',
    }),
    weightShare: z.number().min(0.01).max(1).meta({ description: 'What is left of its weight at full backends.' }),
    throttleShare: z
      .number()
      .min(0.1)
      .max(10)
      .meta({ description: 'Of the tokens a minute that it is entitled to, what it is throttled to.' }),
  })
  .meta({ id: 'NoisyPolicy' })

export type NoisyPolicy = z.infer<typeof noisyPolicyInput>

/** Where an operator has set none for a tenant. */
export const defaultPolicy: NoisyPolicy = {
  rungMax: 'quarantine',
  notifyMinutes: 3,
  lowerWeightMinutes: 5,
  throttleMinutes: 10,
  quarantineMinutes: 15,
  calmMinutes: 10,
  weightShare: 0.25,
  throttleShare: 1,
}

/** What an operator has set for a tenant. */
export interface TenantPolicy {
  readonly policy: NoisyPolicy
  readonly isDefault: boolean
  /** Nothing but `notify` before this, whatever it does; Unix milliseconds. */
  readonly liftedToMs: number
}

export interface NoisyPolicies {
  get(scope: TenantScope): Promise<TenantPolicy>
  put(scope: TenantScope, policy: NoisyPolicy): Promise<void>
  lift(scope: TenantScope, toMs: number): Promise<void>
}
