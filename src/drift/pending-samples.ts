import type { CallerId } from '../base/ids'
import type { AskTopics } from './ask-topics'
import type { DayTallies, TallyPlace } from './day-tallies'
import { TEXTS_PER_CALL_MAX } from './embed-texts'
import type { LanguageDetector } from './language-of'
import { measureRequest, type AskedRequest } from './measure-request'
import type { TopicMap } from './topic-map'

/** A call that is to be measured: the only place in which its text lies, and in memory alone. */
export interface PendingSample extends TallyPlace {
  readonly by: CallerId
  /** Undefined where topics are not asked for. */
  readonly map: TopicMap | undefined
  readonly request: AskedRequest
}

/** Texts of 2,000 characters at most: 2 MB. */
const PENDING_MAX = 500

/** What calls leave behind to be measured, so that none of them waits for it. */
export class PendingSamples {
  #pending: PendingSample[] = []

  get isFull(): boolean {
    return this.#pending.length >= PENDING_MAX
  }

  add(sample: PendingSample): void {
    if (!this.isFull) this.#pending.push(sample)
  }

  /** Measures all of them and forgets them, those of one model together: an embedding is asked for in the name of one. */
  async measure({
    measure,
    languages,
    askTopics,
    tallies,
  }: {
    readonly measure: string
    readonly languages: LanguageDetector | undefined
    readonly askTopics: AskTopics
    readonly tallies: DayTallies
  }): Promise<void> {
    for (let some = this.#takeSome(); some.length > 0; some = this.#takeSome()) {
      const [first] = some
      const texts = some.map(({ request }) => request.text)
      const topics = first?.map ? await askTopics({ ...first, map: first.map, texts }) : []
      for (const [at, { request, map, ...place }] of some.entries()) {
        const measured = measureRequest(request, languages)
        const topic = topics[at]
        const basis = { measure, topicsId: map?.id }
        tallies.addSample(place, basis, topic === undefined ? measured : { ...measured, topics: topic })
      }
    }
  }

  #takeSome(): readonly PendingSample[] {
    const [first] = this.#pending
    const some = this.#pending
      .filter(({ modelId, map }) => modelId === first?.modelId && map === first.map)
      .slice(0, TEXTS_PER_CALL_MAX)
    const taken = new Set(some)
    this.#pending = this.#pending.filter((one) => !taken.has(one))
    return some
  }
}
