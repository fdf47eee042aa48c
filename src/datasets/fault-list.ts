import { CODE_FAULTS_LISTED_MAX, FAULTS_LISTED_MAX, LINE_FAULTS_MAX } from './dataset-bounds'
import { faultCodes, type FaultCode } from './fault-codes'

export interface Fault {
  readonly code: FaultCode
  readonly severity: 'error' | 'warning'
  /** From 1; undefined for a fault of the file. */
  readonly line: number | undefined
  /** Of the line's first byte in the file; undefined for a fault of the file. */
  readonly byteOffset: number | undefined
  /** Where in the line, `messages[2].tool_calls[0].id`; empty for the whole line. */
  readonly path: string
  /** Never quotes content. */
  readonly reason: string
  readonly valid: string
}

export interface FaultReport {
  readonly errors: number
  readonly warnings: number
  /** Of every code that was met, all of its faults. */
  readonly countByCode: Readonly<Partial<Record<FaultCode, number>>>
  /** Lines with at least one error. */
  readonly faultyLines: number
  /** In the order of the file; at most 1,000, at most 100 of a code, at most 20 of a line. */
  readonly listed: readonly Fault[]
}

/** Is handed every fault as it is met, but for those beyond `LINE_FAULTS_MAX` of a line. */
export type FaultSink = (fault: Fault) => void

/** Counts all faults, and keeps the first of each code. */
export class FaultList {
  readonly #sink: FaultSink | undefined
  readonly #listed: Fault[] = []
  readonly #counts = new Map<FaultCode, number>()
  #line: number | undefined
  #byteOffset: number | undefined
  #lineFaults = 0
  #lineErrors = 0
  #faultyLines = 0

  constructor(sink?: FaultSink) {
    this.#sink = sink
  }

  /** What is added from here on belongs to this line. */
  beginLine(line: number, byteOffset: number): void {
    this.#line = line
    this.#byteOffset = byteOffset
    this.#lineFaults = 0
    this.#lineErrors = 0
  }

  /** What is added from here on belongs to the file. */
  endLines(): void {
    this.#line = undefined
    this.#byteOffset = undefined
    this.#lineFaults = 0
  }

  /** Gives undefined, so that a check can end with it. */
  add(code: FaultCode, path: string, reason: string): undefined {
    const { severity, valid } = faultCodes[code]
    const count = (this.#counts.get(code) ?? 0) + 1
    this.#counts.set(code, count)
    this.#lineFaults += 1
    if (severity === 'error' && this.#lineErrors++ === 0 && this.#line !== undefined) this.#faultyLines += 1
    if (this.#lineFaults > LINE_FAULTS_MAX) return undefined
    const isListed = count <= CODE_FAULTS_LISTED_MAX && this.#listed.length < FAULTS_LISTED_MAX
    if (!isListed && !this.#sink) return undefined
    const fault: Fault = { code, severity, line: this.#line, byteOffset: this.#byteOffset, path, reason, valid }
    if (isListed) this.#listed.push(fault)
    this.#sink?.(fault)
    return undefined
  }

  /** More of a code than anybody wants listed, on lines of their own. */
  addUnlisted(code: FaultCode, lines: number): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + lines)
    if (faultCodes[code].severity === 'error') this.#faultyLines += lines
  }

  /** Whether the line that was begun last has errors so far. */
  get lineHasErrors(): boolean {
    return this.#lineErrors > 0
  }

  report(): FaultReport {
    const sum = (severity: 'error' | 'warning') =>
      [...this.#counts].reduce((sum, [code, count]) => sum + (faultCodes[code].severity === severity ? count : 0), 0)
    return {
      errors: sum('error'),
      warnings: sum('warning'),
      countByCode: Object.fromEntries(this.#counts),
      faultyLines: this.#faultyLines,
      listed: this.#listed,
    }
  }
}
