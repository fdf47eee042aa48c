import { TRAINED_TOKENS_MAX } from './dataset-bounds'
import type { DatasetReport, DatasetRole } from './dataset-report'
import { estimateEpochs } from './estimate-epochs'
import { estimatePrice, type PriceEstimate } from './estimate-price'
import { faultCodes } from './fault-codes'
import type { Fault } from './fault-list'
import type { TokenReport } from './token-tally'
import type { TrainingMethod } from './training-models'
import { trainingPrices, type TrainingPriceList, type TrainingType } from './training-prices'

/** What of a training is not in the file that it trains on. */
export interface TrainingPlan {
  /** What the job will be told; undefined leaves it to the provider, and an estimate takes its place. */
  readonly epochs?: number | undefined
  /** `standard` where undefined, as for Azure. */
  readonly trainingType?: TrainingType | undefined
  readonly prices?: TrainingPriceList | undefined
}

interface ReadDataset {
  readonly method: TrainingMethod
  readonly baseModel: string
  readonly role: DatasetRole
  readonly tokens: TokenReport
  readonly examples: number
}

interface TrainingEstimate {
  readonly epochs: number
  readonly price: PriceEstimate | undefined
  /** Where it is more than any job may train. */
  readonly excess: string | undefined
}

/** What training on a dataset takes; validation data costs nothing of its own, and reinforcement counts steps. */
export function estimateTraining(
  { method, baseModel, role, tokens, examples }: ReadDataset,
  { epochs: asked, trainingType: type = 'standard', prices = trainingPrices }: TrainingPlan,
): TrainingEstimate {
  const learns = role === 'training' && method !== 'reinforcement'
  const epochs = learns ? (asked ?? estimateEpochs(examples)) : 0
  const priced = { baseModel, method, type, tokens: tokens.total, marginTokens: tokens.margin, epochs }
  const trained = (tokens.total - tokens.margin) * epochs
  return {
    epochs,
    price: role === 'training' ? estimatePrice(prices, priced) : undefined,
    excess: trained > TRAINED_TOKENS_MAX ? `At least ${trained} tokens in ${epochs} epochs.` : undefined,
  }
}

const EXCESS = 'trained_tokens_above_limit'

/**
 * The report as it would be had the file been read for this plan: all that a plan changes is what training takes. So a file that was
 * read once is not read again for another number of epochs, or another release of its base model.
 */
export function plannedAnew(report: DatasetReport, plan: TrainingPlan & { readonly baseModel: string }): DatasetReport {
  const { baseModel } = plan
  const { examples } = report.totals
  const { epochs, price, excess } = estimateTraining({ ...report, baseModel, examples }, plan)
  const { [EXCESS]: before = 0, ...countByCode } = report.faults.countByCode
  const errors = report.faults.errors - before + (excess === undefined ? 0 : 1)
  const others = report.faults.listed.filter(({ code }) => code !== EXCESS)
  return {
    ...report,
    baseModel,
    epochs,
    price,
    valid: errors === 0,
    faults: {
      ...report.faults,
      errors,
      countByCode: excess === undefined ? countByCode : { ...countByCode, [EXCESS]: 1 },
      listed: excess === undefined ? others : [...others, excessFault(excess)],
    },
  }
}

const excessFault = (reason: string): Fault => ({
  code: EXCESS,
  ...faultCodes[EXCESS],
  line: undefined,
  byteOffset: undefined,
  path: '',
  reason,
})
