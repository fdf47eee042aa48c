import type { Refusal } from '../errors'
import type { Draft, Exchange } from '../exchange'
import type { ChosenFault } from '../faults'
import type { Outcome } from '../ledger'

/** What became of a line. `lost`: there was no answer that could be read. */
export type LineAnswer =
  | { readonly kind: 'answer'; readonly status: number; readonly body: string }
  | { readonly kind: 'lost'; readonly code: string; readonly message: string }

const lost = { kind: 'lost', code: 'server_error', message: 'The connection to the model was lost.' } as const
const timedOut = { kind: 'lost', code: 'request_timeout', message: 'The model did not answer in time.' } as const

/** Takes the answer to one line of a batch in the place of a connection. */
export class LineExchange implements Exchange {
  readonly record: Draft
  readonly #ended: (answer: LineAnswer, outcome: Outcome) => void
  readonly #onEnd: (() => void)[] = []
  #spoiled = false
  #closed = false

  constructor(record: Draft, ended: (answer: LineAnswer, outcome: Outcome) => void) {
    this.record = record
    this.#ended = ended
  }

  get id(): string {
    return this.record.id
  }

  get closed(): boolean {
    return this.#closed
  }

  onEnd(run: () => void): void {
    this.#onEnd.push(run)
  }

  noteFault(fault: ChosenFault, spoils: boolean): void {
    this.record.fault = fault.text
    this.#spoiled = spoils
    // Nobody waits for a line for ever.
    if (spoils && fault.fault.kind === 'stall') this.#end(timedOut)
  }

  answer(body: string): void {
    this.record.tokensSent = this.record.outputTokens - this.record.reasoningTokens
    this.json(200, body)
  }

  refuse(refusal: Refusal): void {
    this.json(refusal.status, refusal.body)
  }

  json(status: number, body: string, _headers: readonly string[] = [], length?: number): void {
    this.record.status = status
    this.#end(length === undefined && isJson(body) ? { kind: 'answer', status, body } : lost)
  }

  content(): void {
    this.#end(lost)
  }

  openStream(): void {
    this.record.status = 200
  }

  flush(): void {}

  write(): boolean {
    return true
  }

  onceDrained(run: () => void): void {
    run()
  }

  end(): void {
    this.#end(lost)
  }

  cut(): void {
    this.#end(lost)
  }

  reset(): void {
    this.#end(lost)
  }

  #end(answer: LineAnswer): void {
    if (this.#closed) return
    this.#closed = true
    for (const run of this.#onEnd) run()
    this.#ended(answer, this.#outcome(answer))
  }

  #outcome(answer: LineAnswer): Outcome {
    if (this.#spoiled || answer.kind === 'lost') return 'faulted'
    return answer.status >= 400 ? 'rejected' : 'completed'
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
