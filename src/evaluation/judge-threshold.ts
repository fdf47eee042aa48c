import { Problem } from '../base/problem'
import type { GateWish } from '../registry/model-stages'
import type { ModelEvaluation } from '../registry/model-version'

/** Behind a metric's name: by how much the tuned model is better than its base, -1 to 1. */
const GAIN = '_gain'
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
    return refused(`The evaluation has no metric "${metric}"; it has: ${known}, each also with ${GAIN} behind it.`)
  }
  if (value >= scoreMin - ROUNDING) return undefined
  return refused(
    `${metric} is ${shown(value)} and had to be ${shown(scoreMin)} or more. The model stays registered: promote it yourself, or train another.`,
  )
}

function valueOf(metric: string, { tuned, base }: ModelEvaluation): number | undefined {
  const own = tuned[metric]
  if (own !== undefined || !metric.endsWith(GAIN)) return own
  const name = metric.slice(0, -GAIN.length)
  const [after, before] = [tuned[name], base[name]]
  return after === undefined || before === undefined ? undefined : after - before
}

const refused = (text: string) => new Problem('conflict', text)

const shown = (value: number) => String(Number(value.toFixed(4)))
