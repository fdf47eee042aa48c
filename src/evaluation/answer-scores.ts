/**
 * What one answer is worth beside the one that was wanted, by measures that need no model. Each is 0 to 1, pure, and the same for
 * the tuned model and its base. `undefined` where the measure says nothing about this example.
 */
const answerMetrics = ['exact_match', 'json_valid', 'token_f1'] as const
export type AnswerMetric = (typeof answerMetrics)[number]

export type AnswerScores = { readonly [Metric in AnswerMetric]: number | undefined }

export const scoreAnswer = (wanted: string, answer: string): AnswerScores => ({
  exact_match: exactMatch(wanted, answer),
  json_valid: jsonValid(wanted, answer),
  token_f1: tokenF1(wanted, answer),
})

/** 1 where both say the same, but for blanks around it, line ends and how characters are composed. */
export const exactMatch = (wanted: string, answer: string): number => (plain(wanted) === plain(answer) ? 1 : 0)

const plain = (text: string) => text.normalize('NFC').replaceAll('\r\n', '\n').trim()

/** Whether the answer is an object or a list in JSON; asked only where the wanted one is. */
export function jsonValid(wanted: string, answer: string): number | undefined {
  if (!isJsonStructure(wanted)) return undefined
  return isJsonStructure(answer) ? 1 : 0
}

function isJsonStructure(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
  } catch {
    return false
  }
}

/**
 * The harmonic mean of precision and recall over words, as multisets: SQuAD's F1 (Rajpurkar et al., 2016) without its dropping of
 * English articles, since answers come in any language. 1 where neither has a word, 0 where only one has.
 */
export function tokenF1(wanted: string, answer: string): number {
  const wantedWords = wordsOf(wanted)
  const answerWords = wordsOf(answer)
  if (wantedWords.length === 0 || answerWords.length === 0) return wantedWords.length === answerWords.length ? 1 : 0
  const left = new Map<string, number>()
  for (const word of wantedWords) left.set(word, (left.get(word) ?? 0) + 1)
  let shared = 0
  for (const word of answerWords) {
    const count = left.get(word) ?? 0
    if (count === 0) continue
    left.set(word, count - 1)
    shared += 1
  }
  return (2 * shared) / (wantedWords.length + answerWords.length)
}

/** Scripts that are written without blanks between words count by character. */
const WORD =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]|[[\p{L}\p{M}\p{N}]--[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]]+/gv

const wordsOf = (text: string): string[] => text.normalize('NFKC').toLowerCase().match(WORD) ?? []
