import { textTokens } from '../inference/text-tokens'
import type { GraderWish } from '../registry/model-stages'
import type { ModelAlias } from '../tenants/snapshot'
import { askModel, type Asking, type Question, type Reply } from './ask-model'
import type { ExampleProgress, Said } from './evaluation-run'
import { GRADE_OUTPUT_TOKENS, graderMessages } from './grade'
import type { HeldOutExample } from './held-out-example'

/** Who is asked. */
export interface Contenders {
  readonly tuned: ModelAlias
  readonly base: ModelAlias
  readonly grader?: { readonly alias: ModelAlias; readonly prompt: GraderWish['prompt'] } | undefined
}

export interface AskedExample {
  readonly progress: ExampleProgress
  /** What stands in the way of the rest of it; undefined where it is over. */
  readonly hold?: Hold | undefined
  /** Of the tenant's limits, 0 to 1, as the last answers told. */
  readonly remaining: number
}

export type Hold = Exclude<Reply, { kind: 'said' }>

/** An example that somebody failed to answer so often, for ten minutes at least, is left out; or nobody answers any. */
export const FAILURES_MAX = 8
/** After the first failure; each time twice as long. */
const FAILED_PAUSE_MS = 5_000
const FAILED_PAUSE_MS_MAX = 300_000
const GAVE_UP = 'gave_up'

/** Room for an answer: several times what was wanted, so that a model that says too much is not cut off before it has said it. */
const OUTPUT_TOKENS_MIN = 256
const OUTPUT_TIMES_WANTED = 4
/** What reasoning models think before they answer counts as output too. */
const REASONING_TOKENS = 8_192

const noProgress: ExampleProgress = { failures: 0 }

/** Asks what is not known yet of one example: both models first, then the grader of what they said. */
export async function askExample(
  asking: Asking,
  { tuned, base, grader }: Contenders,
  { example, known = noProgress }: { example: HeldOutExample; known?: ExampleProgress | undefined },
): Promise<AskedExample> {
  const { messages, tools, wanted } = example
  const outputTokens = Math.max(OUTPUT_TOKENS_MIN, textTokens(wanted) * OUTPUT_TIMES_WANTED)
  const put = (alias: ModelAlias): Question => ({
    alias,
    messages,
    tools,
    outputTokens: withThinking(alias, outputTokens),
  })
  const answered = await asked(asking, known, { tuned: put(tuned), base: put(base) })
  const { progress } = answered
  if (answered.hold || !grader || progress.tuned?.kind !== 'answered' || progress.base?.kind !== 'answered')
    return answered
  const grade = ({ text }: { text: string }): Question => ({
    alias: grader.alias,
    messages: graderMessages(grader.prompt, example, text),
    outputTokens: withThinking(grader.alias, GRADE_OUTPUT_TOKENS),
  })
  const graded = await asked(asking, progress, { tunedGrade: grade(progress.tuned), baseGrade: grade(progress.base) })
  return { ...graded, remaining: Math.min(answered.remaining, graded.remaining) }
}

/** Whether nothing more is to be asked of it. */
export const isOver = ({ tuned, base, tunedGrade, baseGrade }: ExampleProgress, isGraded: boolean): boolean => {
  if (!tuned || !base) return false
  const isComparable = tuned.kind === 'answered' && base.kind === 'answered'
  return !isGraded || !isComparable || (tunedGrade !== undefined && baseGrade !== undefined)
}

type Asked = 'tuned' | 'base' | 'tunedGrade' | 'baseGrade'

async function asked(
  asking: Asking,
  known: ExampleProgress,
  questions: { readonly [Name in Asked]?: Question },
): Promise<AskedExample> {
  const missing = (Object.entries(questions) as [Asked, Question][]).filter(([name]) => !known[name])
  const replies = await Promise.all(
    missing.map(async ([name, question]) => ({ name, reply: await askModel(asking, question) })),
  )
  let progress = known
  let hold: Hold | undefined
  let remaining = 1
  for (const { name, reply } of replies) {
    if (reply.kind === 'said') {
      progress = { ...progress, [name]: reply.said }
      remaining = Math.min(remaining, reply.remaining)
      continue
    }
    const broken = reply.kind === 'again' ? reply.broken : undefined
    if (reply.kind === 'refused' || !broken) {
      hold = graver(hold, reply)
      continue
    }
    const isLast = known.failures + 1 >= FAILURES_MAX
    const isForGood = isLast && broken.kind === 'everywhere'
    // Whoever asks for the evaluation again has mended it.
    progress = { ...progress, failures: isForGood ? 0 : known.failures + 1 }
    if (isLast && broken.kind === 'here') progress = { ...progress, [name]: gaveUp }
    const wait: Hold = { ...reply, afterMs: Math.max(reply.afterMs, pauseMs(known)) }
    hold = graver(hold, isForGood ? { kind: 'refused', problem: broken.problem } : wait)
  }
  const isDone = missing.every(([name]) => progress[name])
  return { progress, remaining, ...(hold && (!isDone || hold.kind === 'refused') ? { hold } : {}) }
}

const pauseMs = ({ failures }: ExampleProgress) => Math.min(FAILED_PAUSE_MS_MAX, FAILED_PAUSE_MS * 2 ** failures)

const gaveUp: Said = { kind: 'unanswered', code: GAVE_UP }

/** A refusal before a wait, the longer wait before the shorter. */
export function graver(one: Hold | undefined, other: Hold): Hold {
  if (!one || other.kind === 'refused') return other
  return one.kind === 'refused' || one.afterMs >= other.afterMs ? one : other
}

const withThinking = ({ outputTokensField }: ModelAlias, tokens: number) =>
  outputTokensField === 'max_completion_tokens' ? tokens + REASONING_TOKENS : tokens
