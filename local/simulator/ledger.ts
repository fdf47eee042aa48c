/**
 * How a call ended. `completed`: the last byte of a successful answer was handed to a living connection. `client-gone`:
 * the connection ended first. `faulted`: a fault that was asked for spoiled the answer. `rejected`: a whole error answer.
 * `cancelled`: work in the background was called off.
 */
export type Outcome = 'completed' | 'client-gone' | 'faulted' | 'rejected' | 'cancelled'

/** What a record is of: a request over HTTP, a response that was generated in the background, or a line of a batch. */
export type WorkKind = 'call' | 'background' | 'batch-line'

export type CredentialKind = 'none' | 'api-key' | 'bearer-key' | 'bearer-jwt'

/** One call served, as the upstream saw it: what a gateway's metering is checked against. */
export interface LedgerRecord {
  /** Place in the ledger, from 1, in the order in which calls ended. */
  readonly n: number
  /** The `x-request-id` of the answer. */
  readonly id: string
  readonly work: WorkKind
  /** What was asked for, as `chat`, `images.edits` or `files.delete`; null where the address is none. */
  readonly operation: string | null
  /** The `id` inside the answer's body, where it has one. */
  readonly answerId: string | null
  /** The batch that a line is of, and the `custom_id` of the line. */
  readonly batchId: string | null
  readonly customId: string | null
  /** When the call arrived, Unix milliseconds. */
  readonly at: number
  readonly durationMs: number
  /** The account that was called; that at the root has a name too. */
  readonly account: string
  readonly deployment: string | null
  readonly path: string
  readonly stream: boolean
  /** Zero when the connection ended before an answer began. */
  readonly status: number
  /** What the client sent as `x-ms-client-request-id` or `x-request-id`. */
  readonly clientRequestId: string | null
  /** Zero when the call was refused before the model read its prompt; a filtered prompt counts, as Azure charges it. */
  readonly promptTokens: number
  readonly cachedTokens: number
  /** What the usage states, reasoning included, whether or not all of it was sent. */
  readonly outputTokens: number
  readonly reasoningTokens: number
  /** Visible output tokens whose bytes were handed to the connection. */
  readonly tokensSent: number
  /** Images that the answer has. */
  readonly images: number
  /** Seconds of sound that were heard or spoken. */
  readonly audioSeconds: number
  readonly outcome: Outcome
  readonly fault: string | null
  readonly credentialKind: CredentialKind
}

export interface LedgerPage {
  readonly records: readonly LedgerRecord[]
  /** Pass as `since` to read on. */
  readonly next: number
  /** The newest record's `n`; zero when nothing was served. */
  readonly last: number
  /** Records after `since` that the ring has already dropped. */
  readonly dropped: number
}

export const LEDGER_RECORDS_MAX = 200_000
export const LEDGER_PAGE_MAX = 10_000

/** A ring of the latest records. */
export class Ledger {
  #ring: LedgerRecord[] = []
  #last = 0
  readonly #recordsMax: number

  constructor(recordsMax = LEDGER_RECORDS_MAX) {
    this.#recordsMax = recordsMax
  }

  add(record: Omit<LedgerRecord, 'n'>): void {
    this.#last++
    this.#ring[(this.#last - 1) % this.#recordsMax] = { n: this.#last, ...record }
  }

  /** The records after `since`, oldest first. */
  page(since: number, limit: number): LedgerPage {
    const oldest = Math.max(1, this.#last - this.#ring.length + 1)
    const first = Math.max(since + 1, oldest)
    const records: LedgerRecord[] = []
    for (let n = first; n <= this.#last && records.length < limit; n++) {
      const record = this.#ring[(n - 1) % this.#recordsMax]
      if (record !== undefined) records.push(record)
    }
    return { records, next: records.at(-1)?.n ?? Math.max(since, 0), last: this.#last, dropped: first - since - 1 }
  }

  /** All that the ring still has, oldest first. */
  all(): readonly LedgerRecord[] {
    return this.page(0, this.#recordsMax).records
  }

  clear(): void {
    this.#ring = []
    this.#last = 0
  }

  get last(): number {
    return this.#last
  }
}
