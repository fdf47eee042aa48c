/** The levels of the Functions worker protocol, least severe first. */
const LEVELS = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'] as const
export type LogLevel = (typeof LEVELS)[number]

/** Where the host and, through the library, the app write their lines. */
export interface HostLog {
  write(level: LogLevel, category: string, message: string): void
}

/**
 * One line an event: warnings and worse on stderr, the rest on stdout. Lines below `levelMin` are dropped.
 * Records that are already JSON (an app with structured logs) pass through unframed, so that tools can read them.
 */
export function consoleLog(levelMin: LogLevel): HostLog {
  const rankMin = LEVELS.indexOf(levelMin)
  return {
    write: (level, category, message) => {
      const rank = LEVELS.indexOf(level)
      if (rank < rankMin) return
      const line = message.startsWith('{') ? message : `[${level}] ${category}: ${message}`
      const stream = rank >= LEVELS.indexOf('warning') ? process.stderr : process.stdout
      stream.write(`${line}\n`)
    },
  }
}

export function isLogLevel(text: string): text is LogLevel {
  return (LEVELS as readonly string[]).includes(text)
}

/** What to print of something that was thrown. */
export function describeError(error: unknown): string {
  if (error instanceof Error) return error.stack ?? error.message
  return String(error)
}

/** The one-line text of something that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
