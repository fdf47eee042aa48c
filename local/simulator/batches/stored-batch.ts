import { randomUUID } from 'node:crypto'
import type { JsonObject } from '../json-value'
import type { OperationName } from '../model-operations'

export type BatchStatus =
  'validating' | 'failed' | 'in_progress' | 'finalizing' | 'completed' | 'cancelling' | 'cancelled'

/** Why an input file is refused. Codes: Azure's batch page, 2026. */
export interface BatchError {
  readonly code: string
  readonly message: string
  readonly param: string | null
  readonly line: number | null
}

export interface BatchLine {
  readonly customId: string
  readonly body: JsonObject
}

/** What a batch was made from. */
export interface BatchOrder {
  readonly endpoint: string
  readonly operation: OperationName
  readonly inputFileId: string
  readonly metadata: unknown
  /** Seconds that output files are kept; undefined for ever. */
  readonly outputExpiresAfterSeconds: number | undefined
  /** The call that made it, as it names itself. */
  readonly clientRequestId: string | null
  /** The deployment that serves it; undefined where the input file names none that can. */
  readonly deployment: string | undefined
  /** Counted against the deployment's quota until the batch is over. */
  readonly enqueuedTokens: number
}

const LIFETIME_SECONDS = 24 * 3_600

/** One batch from its creation on. */
export class StoredBatch {
  readonly id = `batch_${randomUUID()}`
  readonly order: BatchOrder
  #status: BatchStatus = 'validating'
  readonly #since = new Map<BatchStatus, number>()
  readonly #createdAt = nowSeconds()
  #errors: readonly BatchError[] = []
  total = 0
  completed = 0
  failed = 0
  outputFileId: string | null = null
  errorFileId: string | null = null
  readonly tokens = { input: 0, cached: 0, output: 0, reasoning: 0 }

  constructor(order: BatchOrder) {
    this.order = order
  }

  get status(): BatchStatus {
    return this.#status
  }

  get isOver(): boolean {
    return this.#status === 'failed' || this.#status === 'completed' || this.#status === 'cancelled'
  }

  /** Goes on to a status; what is over stays so. */
  become(status: BatchStatus): void {
    if (this.isOver) return
    this.#status = status
    this.#since.set(status, nowSeconds())
  }

  refuse(errors: readonly BatchError[]): void {
    this.#errors = errors
    this.become('failed')
  }

  /** As its own address shows it. */
  object(): JsonObject {
    const since = (status: BatchStatus) => this.#since.get(status) ?? null
    const { endpoint, inputFileId, metadata } = this.order
    const { input, cached, output, reasoning } = this.tokens
    return {
      id: this.id,
      object: 'batch',
      endpoint,
      errors: this.#errors.length === 0 ? null : { object: 'list', data: this.#errors },
      input_file_id: inputFileId,
      completion_window: '24h',
      status: this.#status,
      output_file_id: this.outputFileId,
      error_file_id: this.errorFileId,
      created_at: this.#createdAt,
      in_progress_at: since('in_progress'),
      expires_at: this.#createdAt + LIFETIME_SECONDS,
      finalizing_at: since('finalizing'),
      completed_at: since('completed'),
      failed_at: since('failed'),
      expired_at: null,
      cancelling_at: since('cancelling'),
      cancelled_at: since('cancelled'),
      request_counts: { total: this.total, completed: this.completed, failed: this.failed },
      usage: {
        input_tokens: input,
        input_tokens_details: { cached_tokens: cached },
        output_tokens: output,
        output_tokens_details: { reasoning_tokens: reasoning },
        total_tokens: input + output,
      },
      metadata,
    }
  }
}

const nowSeconds = (): number => Math.floor(Date.now() / 1_000)
