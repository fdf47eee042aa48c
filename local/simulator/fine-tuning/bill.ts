import type { TrainingMethod } from './trainable-models'
import type { TrainingType } from './job-order'

/** What training and hosting come to, in the units that are charged; prices are not the simulator's matter. */
export type Charge =
  | {
      readonly kind: 'training'
      readonly account: string
      readonly jobId: string
      readonly model: string
      readonly method: TrainingMethod
      readonly trainingType: TrainingType
      readonly trainedTokens: number
      /** What reinforcement is charged by. */
      readonly trainedHours: number
    }
  | {
      readonly kind: 'hosting'
      readonly account: string
      readonly deployment: string
      readonly model: string
      readonly sku: string
      /** Zero for the developer tier, whose hosting is free. */
      readonly hours: number
      /** It still runs. */
      readonly open: boolean
    }

const CHARGES_MAX = 10_000

/** The latest charges. */
export class Bill {
  readonly #charges: Charge[] = []

  add(charge: Charge): void {
    this.#charges.push(charge)
    if (this.#charges.length > CHARGES_MAX) this.#charges.shift()
  }

  get charges(): readonly Charge[] {
    return this.#charges
  }

  clear(): void {
    this.#charges.length = 0
  }
}
