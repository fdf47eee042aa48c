import type { Refusal } from './errors'
import type { ChosenFault } from './faults'
import type { LedgerRecord } from './ledger'

/** A ledger record while its call is running. */
export type Draft = {
  -readonly [Field in keyof Omit<LedgerRecord, 'n' | 'outcome' | 'durationMs'>]: LedgerRecord[Field]
}

/** Where the answer of a call goes: over HTTP, or into the output of a batch. */
export interface Exchange {
  readonly id: string
  readonly record: Draft
  /** Nothing more can be sent. */
  readonly closed: boolean
  /** Called once when the call has ended, before its record is written; all that ask are called, in their order. */
  onEnd(run: () => void): void
  /** The fault is in the record; `spoils` says that the client does not get the answer that it asked for. */
  noteFault(fault: ChosenFault, spoils: boolean): void
  /** A whole answer of the model, all of its visible tokens in one part. */
  answer(body: string, headers: readonly string[]): void
  refuse(refusal: Refusal): void
  /** A whole body. `length` states another content length than the true one; then the connection ends after it. */
  json(status: number, body: string, headers?: readonly string[], length?: number): void
  /** A whole body of another type than JSON. */
  content(body: string | Buffer, type: string, headers?: readonly string[]): void
  /** Server-sent events, unless another type is named. */
  openStream(headers: readonly string[], type?: string): void
  /** Sends the headers now, with no body yet. */
  flush(): void
  /** Part of a stream with the output tokens in it. False: wait for `onceDrained` before writing on. */
  write(text: string, tokens: number, encoding?: BufferEncoding): boolean
  onceDrained(run: () => void): void
  /** The last part of a stream. */
  end(text: string, tokens: number, encoding?: BufferEncoding): void
  /** Ends the connection after what was written, leaving the body unfinished. */
  cut(): void
  /** Ends the connection with a TCP reset. */
  reset(): void
}

/** A record of which nothing is known yet but where it is asked for. */
export function newDraft(known: Pick<Draft, 'id' | 'account' | 'path' | 'clientRequestId'> & Partial<Draft>): Draft {
  return {
    work: 'call',
    operation: null,
    answerId: null,
    batchId: null,
    customId: null,
    at: Date.now(),
    deployment: null,
    stream: false,
    status: 0,
    promptTokens: 0,
    cachedTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    tokensSent: 0,
    images: 0,
    audioSeconds: 0,
    fault: null,
    credentialKind: 'none',
    ...known,
  }
}
