import { checkExample, type ExampleCheck } from './check-example'
import { CODE_FAULTS_LISTED_MAX, DATASET_BYTES_MAX, EXAMPLES_MIN, IMAGE_EXAMPLES_MAX } from './dataset-bounds'
import type { DatasetReport, DatasetRole, LongestExample } from './dataset-report'
import { Duplicates } from './duplicates'
import { estimateTraining } from './estimate-training'
import { ExampleParts } from './example-parts'
import type { ExampleSketch } from './example-sketch'
import { FaultList, type FaultSink } from './fault-list'
import { PiiTally } from './pii/pii-tally'
import { isBlank, isUtf16, readLine } from './read-line'
import type { DatasetLine } from './split-lines'
import type { TokenTally } from './token-tally'
import { trainingModelOf, type TrainingMethod, type TrainingModel, type TrainingModels } from './training-models'
import type { TrainingPriceList, TrainingType } from './training-prices'

export interface ReadingOptions {
  readonly method: TrainingMethod
  /** As a job names it: a release, its family, or a model trained before. */
  readonly baseModel: string
  readonly role: DatasetRole
  /** Looks for identifying data too. */
  readonly scanPii?: boolean
  /** What the job will be told; undefined leaves it to the provider, and an estimate takes its place. */
  readonly epochs?: number
  /** `standard` where undefined, as for Azure. */
  readonly trainingType?: TrainingType
  readonly models?: TrainingModels
  readonly prices?: TrainingPriceList
  /** Is handed every fault, for whoever keeps them all. */
  readonly faultSink?: FaultSink
}

/** What has been found of a dataset so far, line by line. */
export class DatasetReading {
  readonly #options: ReadingOptions
  readonly #model: TrainingModel | undefined
  readonly #faults: FaultList
  readonly #parts = new ExampleParts()
  readonly #check: ExampleCheck
  readonly #tokens: TokenTally
  readonly #duplicates = new Duplicates()
  readonly #pii: PiiTally | undefined
  readonly #blank: BlankLines
  #unreadable = false
  #lines = 0
  #examples = 0
  #images = 0
  #imageExamples = 0
  #longest: LongestExample | undefined

  constructor(options: ReadingOptions, tokens: TokenTally) {
    this.#options = options
    this.#faults = new FaultList(options.faultSink)
    this.#blank = new BlankLines(this.#faults)
    this.#tokens = tokens
    this.#model = trainingModelOf(options.baseModel, options.models)
    this.#check = { faults: this.#faults, parts: this.#parts, images: this.#model?.images ?? true }
    this.#pii = options.scanPii ? new PiiTally() : undefined
  }

  /** Yields wherever others should have their turn. */
  *add(line: DatasetLine): Generator<void, void> {
    if (this.#unreadable) return
    if (isBlank(line)) return this.#blank.add(line)
    this.#blank.end()
    this.#lines = line.number
    this.#faults.beginLine(line.number, line.byteOffset)
    this.#parts.clear()
    if (line.number === 1 && isUtf16(line.bytes)) {
      this.#unreadable = true
      return this.#faults.add('utf16_encoding', '', 'The file begins with the mark of UTF-16; nothing more was read.')
    }
    const value = readLine(line, this.#faults)
    if (value === undefined) return
    checkExample(value, this.#options.method, this.#check)
    if (this.#pii) yield* this.#pii.add(this.#parts.texts, line.number)
    if (this.#faults.lineHasErrors) return
    yield* this.#addTokens(line)
    if (this.#faults.lineHasErrors) return
    this.#examples += 1
    this.#images += this.#parts.images.length
    if (this.#parts.images.length > 0) this.#imageExamples += 1
    this.#duplicates.add(this.#parts, line.bytes, line.number)
  }

  /** `contentHash` is undefined where the file was not read to its end. */
  end(bytes: number, contentHash: string | undefined): { report: DatasetReport; sketch: ExampleSketch } {
    const { method, baseModel, role } = this.#options
    const tokens = this.#tokens.report()
    const read = { method, baseModel, role, tokens, examples: this.#examples }
    const { epochs, price, excess } = estimateTraining(read, this.#options)
    this.#addFileFaults({ bytes, whole: contentHash !== undefined, excess })
    const faults = this.#faults.report()
    const report: DatasetReport = {
      method,
      baseModel,
      role,
      valid: faults.errors === 0,
      faults,
      totals: {
        bytes,
        lines: this.#lines,
        examples: this.#examples,
        images: this.#images,
        imageExamples: this.#imageExamples,
      },
      tokens,
      tokenizerOfModel: this.#model?.countedTokenizer ?? false,
      longestExample: this.#longest,
      epochs,
      price,
      contentHash: contentHash === undefined ? undefined : `sha256:${contentHash}`,
      duplicates: this.#duplicates.report(),
      pii: this.#pii?.report(),
    }
    return { report, sketch: this.#duplicates.sketch }
  }

  *#addTokens({ number, bytes }: DatasetLine): Generator<void, void> {
    const tokensMax = this.#model?.exampleTokensMax
    let found = yield* this.#tokens.add(this.#parts)
    // A token is at least one byte of the line: shorter lines are never too long.
    if (tokensMax !== undefined && bytes.length > tokensMax && !found.exact)
      found = yield* this.#tokens.measure(this.#parts, tokensMax)
    const tokens = Math.round(found.tokens)
    if (tokens > (this.#longest?.tokens ?? 0)) this.#longest = { line: number, tokens, exact: found.exact }
    if (tokensMax === undefined || tokens <= tokensMax) return
    const about = found.exact ? '' : 'about '
    this.#faults.add('example_too_long', '', `The example has ${about}${tokens} tokens; the model takes ${tokensMax}.`)
  }

  #addFileFaults(file: { bytes: number; whole: boolean; excess: string | undefined }): void {
    const faults = this.#faults
    const { method } = this.#options
    faults.endLines()
    if (!this.#model) faults.add('base_model_unknown', '', 'Nothing is known of this base model.')
    else if (!this.#model.methods.includes(method))
      faults.add(
        'method_unsupported',
        '',
        `The base model is trained by ${this.#model.methods.join(' or ')}, not ${method}.`,
      )
    if (file.bytes > DATASET_BYTES_MAX) faults.add('file_too_large', '', `The file has ${file.bytes} bytes or more.`)
    if (!file.whole) faults.add('not_read_to_end', '', 'Reading ended before the file did.')
    if (this.#examples < EXAMPLES_MIN)
      faults.add('too_few_examples', '', `The file has ${this.#examples} examples without errors.`)
    if (this.#imageExamples > IMAGE_EXAMPLES_MAX)
      faults.add('too_many_image_examples', '', `The file has ${this.#imageExamples} examples with images.`)
    if (file.excess !== undefined) faults.add('trained_tokens_above_limit', '', file.excess)
  }
}

/** Blank lines are faults only where another line follows. */
class BlankLines {
  readonly #faults: FaultList
  #first: { readonly number: number; readonly byteOffset: number }[] = []
  #count = 0

  constructor(faults: FaultList) {
    this.#faults = faults
  }

  add({ number, byteOffset }: DatasetLine): void {
    this.#count += 1
    if (this.#first.length < CODE_FAULTS_LISTED_MAX) this.#first.push({ number, byteOffset })
  }

  /** Another line follows. */
  end(): void {
    if (this.#count === 0) return
    for (const { number, byteOffset } of this.#first) {
      this.#faults.beginLine(number, byteOffset)
      this.#faults.add('blank_line', '', 'The line is blank, and others follow.')
    }
    if (this.#count > this.#first.length) this.#faults.addUnlisted('blank_line', this.#count - this.#first.length)
    this.#first = []
    this.#count = 0
  }
}
