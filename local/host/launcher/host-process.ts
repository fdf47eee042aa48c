import { type ChildProcess, fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { EXIT_TAKEN_OVER } from '../exit-codes'
import { endProcess } from './end-process'

/** Longer than the grace that the host gives to calls under way. */
const STOP_GRACE_MS = 16_000
/** A host that ends before it was ever ready will do so again; one that was ready is started again however often it ends. */
const QUICK_CRASHES_MAX = 3
const RESTART_DELAY_MS_MIN = 100

export interface HostKeeper {
  readonly ready: Promise<void>
  restart(): void
  stop(): Promise<void>
  pid(): number | undefined
}

interface HostCommand {
  readonly hostFile: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly onLine: (line: string) => void
}

/**
 * Runs the host in a process of its own and starts it again when it ends unasked: after ever longer
 * pauses, and no more after three in a row that never became ready (until the app changes). State is in storage, so a restart costs
 * half a second and no data.
 */
export function keepHostRunning(command: HostCommand): HostKeeper {
  const keeper = new Keeper(command)
  keeper.start()
  return keeper
}

class Keeper implements HostKeeper {
  readonly ready: Promise<void>
  private child: ChildProcess | undefined
  private state: 'running' | 'restarting' | 'given-up' | 'stopping' = 'running'
  private quickCrashes = 0
  private wasReady = false
  private retry: NodeJS.Timeout | undefined
  private resolveReady: () => void = () => {}
  private rejectReady: (error: Error) => void = () => {}

  constructor(private readonly command: HostCommand) {
    this.ready = new Promise((resolve, reject) => {
      this.resolveReady = resolve
      this.rejectReady = reject
    })
    this.ready.catch(() => {})
  }

  start(): void {
    const { hostFile, args, env, onLine } = this.command
    this.wasReady = false
    // Inherited debugger and loader options belong to the launcher.
    const child = fork(hostFile, args, {
      env,
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.child = child
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', onLine)
    }
    child.on('message', (message) => {
      if (typeof message === 'object' && 'kind' in message && message.kind === 'ready') {
        this.wasReady = true
        this.resolveReady()
      }
    })
    child.on('exit', (code, signal) => this.ended(code === EXIT_TAKEN_OVER ? 'taken-over' : (signal ?? `code ${code}`)))
    child.on('error', (error) => onLine(`host: ${error.message}`))
  }

  restart(): void {
    if (this.state === 'given-up') {
      this.state = 'running'
      this.quickCrashes = 0
      return this.start()
    }
    if (this.state !== 'running' || !this.child) return
    this.state = 'restarting'
    void endProcess(this.child, STOP_GRACE_MS)
  }

  async stop(): Promise<void> {
    this.state = 'stopping'
    clearTimeout(this.retry)
    this.rejectReady(new Error('the host was stopped before it was ready'))
    if (this.child) await endProcess(this.child, STOP_GRACE_MS)
  }

  pid(): number | undefined {
    return this.child?.pid
  }

  private ended(how: string): void {
    this.child = undefined
    if (this.state === 'stopping') return
    if (how === 'taken-over') {
      this.state = 'given-up'
      this.command.onLine('host: another host runs the durable functions of this task hub now; not starting again')
      return
    }
    const wanted = this.state === 'restarting'
    this.state = 'running'
    this.quickCrashes = wanted || this.wasReady ? 0 : this.quickCrashes + 1
    if (wanted) return this.start()
    if (this.quickCrashes >= QUICK_CRASHES_MAX) {
      this.state = 'given-up'
      this.command.onLine(`host: ended (${how}) ${QUICK_CRASHES_MAX} times in a row right after its start; giving up`)
      this.rejectReady(new Error(`the host ended (${how}) ${QUICK_CRASHES_MAX} times right after its start`))
      return
    }
    const delayMs = RESTART_DELAY_MS_MIN * 4 ** this.quickCrashes
    this.command.onLine(`host: ended (${how}); starting again in ${delayMs} ms`)
    this.retry = setTimeout(() => this.start(), delayMs)
  }
}
