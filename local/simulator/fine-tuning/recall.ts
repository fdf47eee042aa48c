import type { ChatMessage } from '../chat-request'
import type { LearnedAnswer, LearnedExample } from './tuned-model'

/** Words of a prompt that are looked up; more would cost time and tell little. */
const WORDS_MAX = 256
/** Cosine below which two prompts have nothing to do with each other. */
const LIKENESS_MIN = 0.1
/** With no more different answers than this, the data teaches to choose one of them. */
const CHOICES_MAX = 32

/**
 * What a tuned model knows. A prompt that it was trained on gets the answer that it was taught. Another gets the answer to
 * the most similar one (cosine over the words of both, each weighted by how rare it is in the training data), so that data
 * held back is answered better than by the base model, as far as the data has something to teach. With nothing similar, a
 * model that was taught a few answers gives the most frequent of them; any other has no opinion.
 */
export class Recall {
  readonly #examples: readonly LearnedExample[]
  readonly #exact = new Map<string, LearnedAnswer>()
  readonly #postings = new Map<string, number[]>()
  readonly #norms: Float64Array
  readonly #habit: LearnedAnswer | undefined

  constructor(examples: readonly LearnedExample[]) {
    this.#examples = examples
    const words = examples.map(({ prompt }) => wordsOf(prompt))
    for (const [index, { prompt, answer }] of examples.entries()) {
      this.#exact.set(keyOf(prompt), answer)
      for (const word of words[index] ?? []) {
        const posting = this.#postings.get(word)
        if (posting === undefined) this.#postings.set(word, [index])
        else posting.push(index)
      }
    }
    this.#norms = Float64Array.from(words, (of) => Math.sqrt(this.#squares(of)))
    this.#habit = habitOf(examples)
  }

  /** Undefined where the model says what its base would say. */
  answerTo(messages: readonly Pick<ChatMessage, 'role' | 'texts'>[]): LearnedAnswer | undefined {
    const prompt = messages.map(({ role, texts }) => [role, texts.join('\n')] as const)
    return this.#exact.get(keyOf(prompt)) ?? this.#nearest(wordsOf(prompt)) ?? this.#habit
  }

  #nearest(words: ReadonlySet<string>): LearnedAnswer | undefined {
    const scores = new Map<number, number>()
    for (const word of words) {
      const weight = this.#weight(word) ** 2
      if (weight === 0) continue
      for (const index of this.#postings.get(word) ?? []) scores.set(index, (scores.get(index) ?? 0) + weight)
    }
    const norm = Math.sqrt(this.#squares(words))
    let best: { index: number; likeness: number } | undefined
    for (const [index, score] of scores) {
      const likeness = score / (norm * (this.#norms[index] ?? 1))
      if (likeness >= LIKENESS_MIN && (best === undefined || likeness > best.likeness)) best = { index, likeness }
    }
    return best && this.#examples[best.index]?.answer
  }

  #squares(words: Iterable<string>): number {
    let sum = 0
    for (const word of words) sum += this.#weight(word) ** 2
    return sum
  }

  /** Zero for a word of every prompt: what all have in common says nothing. */
  #weight(word: string): number {
    const count = this.#postings.get(word)?.length ?? 1
    return Math.log((this.#examples.length + 1) / (count + 1))
  }
}

/** `developer` is the newer name of `system`. */
const keyOf = (prompt: LearnedExample['prompt']): string =>
  JSON.stringify(prompt.map(([role, text]) => [role === 'developer' ? 'system' : role, text.trim()]))

function wordsOf(prompt: LearnedExample['prompt']): Set<string> {
  const words = new Set<string>()
  // From the end: the last message is what is asked.
  for (const [, text] of prompt.toReversed()) {
    for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) {
      if (words.size >= WORDS_MAX) return words
      words.add(word)
    }
  }
  return words
}

function habitOf(examples: readonly LearnedExample[]): LearnedAnswer | undefined {
  const counts = new Map<string, { answer: LearnedAnswer; count: number }>()
  for (const { answer } of examples) {
    const key = JSON.stringify(answer)
    const counted = counts.get(key) ?? { answer, count: 0 }
    counts.set(key, { answer, count: counted.count + 1 })
    if (counts.size > CHOICES_MAX) return undefined
  }
  const [first] = [...counts.values()].toSorted((one, other) => other.count - one.count)
  return first?.answer
}
