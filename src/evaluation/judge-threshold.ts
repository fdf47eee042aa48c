import { Problem } from '../base/problem'
import type { GateWish } from '../registry/model-stages'
import type { ModelEvaluation } from '../registry/model-version'

/** Behind a metric's name: by how much the tuned model is better than its base, -1 to 1. */
const GAIN = '_gain'
/** And what the gain is at least, 95 times of 100: a threshold on it is not passed by luck. */
const GAIN_LOW = '_gain_low'
/** A difference of two means may lie a hair below what it is on paper: 0.3 - 0.1 < 0.2. */
const ROUNDING = 1e-9

/** Undefined where the evaluation passes. A metric that was not measured does not: nobody knows then whether it would. */
export function judgeThreshold(
  { metric, scoreMin }: Extract<GateWish, { kind: 'threshold' }>,
  evaluation: ModelEvaluation | undefined,
): Problem | undefined {
  if (!evaluation) return refused('The model has not been evaluated; ask for an evaluation before its gate.')
  const value = valueOf(metric, evaluation)
  if (value === undefined) {
    const known = Object.keys(evaluation.tuned).join(', ')
    const also = `each also with ${GAIN} or ${GAIN_LOW} behind it`
    return refused(`The evaluation has no metric "${metric}"; it has: ${known}, ${also}.`)
  }
  if (value >= scoreMin - ROUNDING) return undefined
  return refused(
    `${metric} is ${shown(value)} over ${evaluation.examples} examples and had to be ${shown(scoreMin)} or more. The model stays registered: promote it yourself, or train another.`,
  )
}

function valueOf(metric: string, { tuned, gains }: ModelEvaluation): number | undefined {
  if (Object.hasOwn(tuned, metric)) return tuned[metric]
  const behind = metric.endsWith(GAIN_LOW) ? GAIN_LOW : metric.endsWith(GAIN) ? GAIN : undefined
  if (behind === undefined) return undefined
  const name = metric.slice(0, -behind.length)
  const gain = Object.hasOwn(gains, name) ? gains[name] : undefined
  return behind === GAIN_LOW ? gain?.low : gain?.mean
}

const refused = (text: string) => new Problem('conflict', text)

const shown = (value: number) => String(Number(value.toFixed(4)))
