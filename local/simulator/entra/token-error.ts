import { randomUUID } from 'node:crypto'

/** A refusal of the token endpoint, as Entra words it. */
export class TokenError extends Error {
  readonly status: number
  readonly error: string
  readonly code: number

  constructor(status: number, error: string, code: number, description: string) {
    super(`AADSTS${code}: ${description}`)
    this.status = status
    this.error = error
    this.code = code
  }

  get body(): object {
    return {
      error: this.error,
      error_description: `${this.message} Trace ID: ${randomUUID()} Timestamp: ${new Date().toISOString()}`,
      error_codes: [this.code],
      timestamp: new Date().toISOString(),
      trace_id: randomUUID(),
      correlation_id: randomUUID(),
    }
  }
}
