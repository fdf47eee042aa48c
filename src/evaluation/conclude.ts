import { createHash } from 'node:crypto'
import type { EvaluationId } from '../base/ids'
import { Problem } from '../base/problem'
import type { Gain, ModelEvaluation } from '../registry/model-version'
import type { TenantScope } from '../storage/tenant-scope'
import { scoreAnswer } from './answer-scores'
import { pagesOf, type EvaluationRun, type ExampleProgress, type KeptAnswer, type Said } from './evaluation-run'
import type { EvaluationStore } from './evaluation-store'
import { readGrade } from './grade'
import { pairedGain } from './paired-gain'
import type { SampledExample } from './sample-examples'
import { ScoreTally } from './score-tally'

export interface Concluded {
  readonly evaluation: Omit<ModelEvaluation, 'atMs'>
  /** Of as many examples as the wish names, the first ones. */
  readonly answers: readonly KeptAnswer[]
}

/** With fewer answered, what is left says little of the set: which examples a model fails to answer is no chance. */
const ANSWERED_SHARE_MIN = 0.5
/** Of each text that is kept to be looked at. */
const KEPT_CHARACTERS_MAX = 4_000

/** Reads back everything that was said, page by page, and makes of it what the registry keeps. */
export async function conclude(
  store: Pick<EvaluationStore, 'examples' | 'progress'>,
  scope: TenantScope,
  run: EvaluationRun,
): Promise<Concluded | Problem> {
  const { id, wish, sample, baseAlias } = run
  if (!sample || baseAlias === undefined) throw new Error(`${id} is concluded before it was asked`)
  const scores = new PairedScores()
  const answers: KeptAnswer[] = []
  const keptMax = wish.answersKept ?? 0
  for await (const { example, progress } of asked(store, scope, { id, pages: pagesOf(sample) })) {
    const { tuned, base } = progress
    scores.add(example, progress)
    if (tuned?.kind === 'answered' && base?.kind === 'answered' && answers.length < keptMax)
      answers.push({ line: example.line, wanted: cut(example.wanted), tuned: cut(tuned.text), base: cut(base.text) })
  }
  const { examples, unanswered } = scores
  if (examples === 0 || examples < sample.examples * ANSWERED_SHARE_MIN) return tooFew(scores, sample.examples)
  const evaluation = {
    id,
    fileId: wish.fileId,
    datasetHash: sample.datasetHash,
    examples,
    unanswered,
    ...scores.result(),
    baseAlias,
    ...(wish.grader ? { graderAlias: wish.grader.alias } : {}),
  }
  return { evaluation, answers }
}

async function* asked(
  store: Pick<EvaluationStore, 'examples' | 'progress'>,
  scope: TenantScope,
  { id, pages }: { id: EvaluationId; pages: number },
): AsyncGenerator<{ example: SampledExample; progress: ExampleProgress }> {
  for (let page = 0; page < pages; page++) {
    const [examples, progress] = await Promise.all([store.examples(scope, id, page), store.progress(scope, id, page)])
    for (const [index, example] of examples.entries()) yield { example, progress: progress[index] ?? { failures: 0 } }
  }
}

/** Only examples that both models answered count, and of those for a metric only where both have a score. */
class PairedScores {
  examples = 0
  unanswered = 0
  readonly codes = new Map<string, number>()
  readonly #tuned = new ScoreTally()
  readonly #base = new ScoreTally()
  readonly #differences = new Map<string, number[]>()
  readonly #lines = createHash('sha256')

  add({ line, wanted }: SampledExample, { tuned, base, tunedGrade, baseGrade }: ExampleProgress): void {
    if (tuned?.kind !== 'answered' || base?.kind !== 'answered') {
      this.unanswered += 1
      for (const said of [tuned, base])
        if (said?.kind === 'unanswered') this.codes.set(said.code, (this.codes.get(said.code) ?? 0) + 1)
      return
    }
    this.examples += 1
    this.#lines.update(`${line}\n`)
    const own: Readonly<Record<string, number | undefined>> = {
      ...scoreAnswer(wanted, tuned.text),
      grade: gradeOf(tunedGrade),
    }
    const others: typeof own = { ...scoreAnswer(wanted, base.text), grade: gradeOf(baseGrade) }
    for (const [metric, score] of Object.entries(own)) this.#compare(metric, score, others[metric])
  }

  result(): Pick<ModelEvaluation, 'tuned' | 'base' | 'gains' | 'sampleHash'> {
    const lines = this.#lines.digest()
    const gains: Record<string, Gain> = {}
    for (const [metric, differences] of this.#differences) gains[metric] = pairedGain(differences, lines.readUInt32LE())
    return {
      tuned: this.#tuned.means(),
      base: this.#base.means(),
      gains,
      sampleHash: `sha256:${lines.toString('hex')}`,
    }
  }

  #compare(metric: string, own: number | undefined, other: number | undefined): void {
    if (own === undefined || other === undefined) return
    this.#tuned.add({ [metric]: own })
    this.#base.add({ [metric]: other })
    const known = this.#differences.get(metric)
    if (known) known.push(own - other)
    else this.#differences.set(metric, [own - other])
  }
}

const gradeOf = (said: Said | undefined) => (said?.kind === 'answered' ? readGrade(said.text) : undefined)

const cut = (text: string) => text.slice(0, KEPT_CHARACTERS_MAX)

function tooFew({ examples, codes }: PairedScores, put: number): Problem {
  const [most] = [...codes].toSorted(([, one], [, other]) => other - one)
  const why = most ? ` Most often: ${most[0]}.` : ''
  const text = `Both models answered ${examples} of ${put} examples, which is too few to tell anything.${why} Look at what the others have in common, or evaluate with another file.`
  return new Problem('conflict', text)
}
