import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ArmSnapshot } from './arm/arm-store'
import type { SigningKey } from './entra/entra'
import { isJsonObject } from './json-value'
import type { SavedModel } from './stored/account-store'

/** What outlives a restart of the simulator. */
export interface SavedState {
  readonly entra: SigningKey
  readonly arm: ArmSnapshot
  /** Tuned models: their deployments outlive a restart too. */
  readonly models?: readonly SavedModel[]
}

const VERSION = 1
const WRITE_AFTER_MS = 50

/** A file of the simulator's state: written whole, a moment after a change. */
export class StateFile {
  readonly #file: string
  #pending: NodeJS.Timeout | undefined
  #state: (() => SavedState) | undefined

  constructor(file: string) {
    this.#file = file
  }

  /** What an earlier run left; undefined where there is nothing, or something that this version does not understand. */
  read(): SavedState | undefined {
    if (!existsSync(this.#file)) return undefined
    const saved = parsed(readFileSync(this.#file, 'utf8'))
    if (saved === undefined) console.error(`simulator: ${this.#file} is no state of this version; starting anew`)
    return saved
  }

  /** Has what this gives written soon. */
  changed(state: () => SavedState): void {
    this.#state = state
    this.#pending ??= setTimeout(() => this.flush(), WRITE_AFTER_MS)
  }

  /** Writes what is not written yet, beside the file and then over it, so that no reader meets half of it. */
  flush(): void {
    clearTimeout(this.#pending)
    this.#pending = undefined
    if (!this.#state) return
    const text = `${JSON.stringify({ version: VERSION, ...this.#state() }, null, 1)}\n`
    this.#state = undefined
    mkdirSync(dirname(this.#file), { recursive: true })
    const draft = `${this.#file}.${process.pid}`
    writeFileSync(draft, text, { mode: 0o600 })
    renameSync(draft, this.#file)
  }
}

/** The file is the simulator's own: beyond its version its shape is not checked. */
function parsed(text: string): SavedState | undefined {
  try {
    const saved: unknown = JSON.parse(text)
    return isJsonObject(saved) && saved['version'] === VERSION ? (saved as unknown as SavedState) : undefined
  } catch {
    return undefined
  }
}
