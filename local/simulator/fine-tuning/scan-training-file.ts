import { readHints, type FilterHint } from '../hints'
import type { JsonObject } from '../json-value'
import type { Tokenizer } from '../tokens'
import { rightAnswer } from './grader'
import { gradedLesson, readExample, type ReadExample } from './read-example'
import type { TrainingMethod } from './trainable-models'
import { LEARNED_CHARS_MAX, LEARNED_EXAMPLES_MAX, type LearnedExample } from './tuned-model'

/** What a file of training data comes to. */
export interface ScannedFile {
  readonly examples: number
  /** Of one epoch. */
  readonly tokens: number
  /** Examples that are longer than the model reads; they are cut, not refused. */
  readonly cutExamples: number
  readonly faults: readonly LineFault[]
  /** Lines that are at fault, also those beyond the ones that are named. */
  readonly faultyLines: number
  /** What the content policy finds: in the data, or in what is taught by it. */
  readonly filters: ReadonlySet<FilterHint>
  readonly learned: readonly LearnedExample[]
}

export interface LineFault {
  readonly line: number
  readonly reason: string
}

export interface Scan {
  readonly method: TrainingMethod
  /** Of reinforcement. */
  readonly grader: JsonObject | undefined
  readonly tokenizer: Tokenizer
  readonly exampleTokensMax: number
}

const FAULTS_NAMED_MAX = 5
const ROWS_MAX = 50_000_000
/** Beyond so many characters tokens are counted by the ratio of those before. */
const COUNTED_CHARS_MAX = 8_000_000
/** Characters read in one turn, so that a large file leaves room for calls. */
const TURN_CHARS = 65_536
/** Three tokens frame a message and three end an example. Source: OpenAI's cookbook on preparing chat data. */
const MESSAGE_TOKENS = 3
const EXAMPLE_TOKENS = 3
const NEWLINE = 0x0a
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads a whole file of training data line by line. Both UTF-8 with a byte order mark and without it are taken. */
export async function scanTrainingFile(bytes: Buffer, scan: Scan): Promise<ScannedFile> {
  const found = new Findings(scan)
  let inTurn = 0
  let row = 0
  for (let start = 0; start < bytes.length && row < ROWS_MAX;) {
    const newline = bytes.indexOf(NEWLINE, start)
    const end = newline < 0 ? bytes.length : newline
    found.add(bytes.subarray(start, end), ++row)
    inTurn += end - start
    start = end + 1
    if (inTurn < TURN_CHARS) continue
    inTurn = 0
    await new Promise(setImmediate)
  }
  return found.result()
}

/** What has been found in the lines so far. */
class Findings {
  readonly #scan: Scan
  readonly #faults: LineFault[] = []
  readonly #filters = new Set<FilterHint>()
  readonly #learned: LearnedExample[] = []
  #learnedChars = 0
  #faultyLines = 0
  #examples = 0
  #cutExamples = 0
  #tokens = 0
  #countedChars = 0
  #countedTokens = 0

  constructor(scan: Scan) {
    this.#scan = scan
  }

  add(bytes: Buffer, row: number): void {
    const line = decoded(bytes)
    if (line === undefined) return this.#fault(row, 'the line is not UTF-8')
    if (line.trim() === '') return
    const read = readExample(line, this.#scan.method)
    if (read.kind === 'faulty') return this.#fault(row, read.reason)
    this.#examples++
    const filter = readHints(line)?.filter
    if (filter !== undefined) this.#filters.add(filter)
    const tokens = this.#count(read, line.length)
    if (tokens > this.#scan.exampleTokensMax) this.#cutExamples++
    this.#tokens += Math.min(tokens, this.#scan.exampleTokensMax)
    this.#learn(read, line)
  }

  #count({ texts, messages }: ReadExample & { kind: 'example' }, chars: number): number {
    if (this.#countedChars > COUNTED_CHARS_MAX) return Math.ceil(chars * (this.#countedTokens / this.#countedChars))
    this.#countedChars += chars
    const { tokenizer } = this.#scan
    const tokens = texts.reduce((sum, text) => sum + tokenizer.count(text), messages * MESSAGE_TOKENS + EXAMPLE_TOKENS)
    this.#countedTokens += tokens
    return tokens
  }

  #learn({ learned }: ReadExample & { kind: 'example' }, line: string): void {
    if (this.#learned.length >= LEARNED_EXAMPLES_MAX || this.#learnedChars > LEARNED_CHARS_MAX) return
    const { grader } = this.#scan
    this.#learned.push(...learned, ...(grader === undefined ? [] : gradedLesson(line, rightAnswer(grader))))
    this.#learnedChars += line.length
  }

  #fault(line: number, reason: string): void {
    this.#faultyLines++
    if (this.#faults.length < FAULTS_NAMED_MAX) this.#faults.push({ line, reason })
  }

  result(): ScannedFile {
    return {
      examples: this.#examples,
      tokens: this.#tokens,
      cutExamples: this.#cutExamples,
      faults: this.#faults,
      faultyLines: this.#faultyLines,
      filters: this.#filters,
      learned: this.#learned,
    }
  }
}

/** The decoder leaves out a byte order mark at the start of a line, which is harmless wherever it stands. */
function decoded(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
