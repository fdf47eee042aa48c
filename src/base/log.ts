/** Structured log lines. Fields carry ids and numbers, never content and never secrets (I10). */
export interface Log {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** The text of anything thrown, with its causes; for logs only. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.stack ?? `${error.name}: ${error.message}`
  return error.cause === undefined ? own : `${own}\ncaused by ${describeError(error.cause)}`
}

export function createLog(write: (line: string) => void, now: () => number): Log {
  const line = (level: string) => (message: string, fields?: LogFields) =>
    write(JSON.stringify({ time: new Date(now()).toISOString(), level, message, ...fields }))
  return { info: line('info'), warn: line('warn'), error: line('error') }
}

/** Makes a timer's work of what gives a count, and says so where there was anything. */
export const toldBy =
  (log: Pick<Log, 'info'>) =>
  <A extends unknown[]>(text: string, work: (...args: A) => Promise<number>) =>
  async (...args: A): Promise<void> => {
    const count = await work(...args)
    if (count > 0) log.info(text, { count })
  }
