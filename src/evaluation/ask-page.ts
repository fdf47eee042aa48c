import type { EvaluationId } from '../base/ids'
import type { TenantScope } from '../storage/tenant-scope'
import { askExample, graver, isOver, type AskedExample, type Contenders, type Hold } from './ask-example'
import type { Asking } from './ask-model'
import type { ExampleProgress } from './evaluation-run'
import type { EvaluationStore } from './evaluation-store'
import type { SampledExample } from './sample-examples'

export interface AskedPage {
  /** What stands in the way of the rest of it; undefined where the page is over. */
  readonly hold: Hold | undefined
  /** Of the tenant's limits, 0 to 1, as the last answers told. */
  readonly remaining: number
}

/**
 * Asks what is missing of one page and keeps what was said before anything else is asked (E1). A fresh page all at once; one that had
 * to wait one example after the other, up to the first that has to wait again: where there is no room for all, most would be refused.
 */
export async function askPage(
  { store, asking, contenders }: { store: EvaluationStore; asking: Asking; contenders: Contenders },
  at: { readonly scope: TenantScope; readonly id: EvaluationId; readonly page: number },
): Promise<AskedPage> {
  const { scope, id, page } = at
  const [examples, before] = await Promise.all([store.examples(scope, id, page), store.progress(scope, id, page)])
  const ask = async (example: SampledExample, index: number): Promise<AskedExample> => {
    const known = before[index]
    if (known && isOver(known, contenders.grader !== undefined)) return { progress: known, remaining: 1 }
    return askExample(asking, contenders, { example, known })
  }
  const results = before.length === 0 ? await Promise.all(examples.map(ask)) : await oneByOne(examples, before, ask)
  const progress = results.map((result) => result.progress)
  if (progress.some((each, index) => each !== before[index])) await store.putProgress(scope, id, page, progress)
  const holds = results.flatMap(({ hold }) => hold ?? [])
  return {
    hold: holds.reduce<Hold | undefined>((found, hold) => graver(found, hold), undefined),
    remaining: Math.min(...results.map(({ remaining }) => remaining)),
  }
}

async function oneByOne(
  examples: readonly SampledExample[],
  before: readonly ExampleProgress[],
  ask: (example: SampledExample, index: number) => Promise<AskedExample>,
): Promise<AskedExample[]> {
  const results: AskedExample[] = []
  let isFull = false
  for (const [index, example] of examples.entries()) {
    const left: AskedExample = { progress: before[index] ?? { failures: 0 }, remaining: 1 }
    const result: AskedExample = isFull ? left : await ask(example, index)
    const { hold } = result
    // What somebody broke at says nothing of the others.
    if (hold && !(hold.kind === 'again' && hold.broken)) isFull = true
    results.push(result)
  }
  return results
}
