import type { FunctionRunner } from './run-function'

/**
 * Lets a test kill the host at an exact moment, as a crash would: SIGKILL, nothing is stored or said. It is armed over the
 * admin API and gone with the process, so it strikes once.
 */
export interface KillSwitch {
  arm(moment: KillMoment): void
  /** The same runner, that ends the process at the armed moment. */
  watch(run: FunctionRunner): FunctionRunner
}

export interface KillMoment {
  /** The function's name. */
  readonly function: string
  /** Only a run whose input holds this text. */
  readonly inputHolds: string
  /** `before` its work has begun; `after` it has ended and before anybody knows. */
  readonly when: 'before' | 'after'
}

export function createKillSwitch(kill = () => process.kill(process.pid, 'SIGKILL')): KillSwitch {
  let armed: KillMoment | undefined
  return {
    arm: (moment) => {
      armed = moment
    },
    watch: (run) => async (fn, input) => {
      const strikes = (when: KillMoment['when']) =>
        armed?.when === when &&
        armed.function.toLowerCase() === fn.name.toLowerCase() &&
        JSON.stringify(input.data).includes(JSON.stringify(armed.inputHolds).slice(1, -1))
      if (strikes('before')) kill()
      const outcome = await run(fn, input)
      if (strikes('after')) kill()
      return outcome
    },
  }
}

/** Undefined where the text is no moment. */
export function parseKillMoment(text: string): KillMoment | undefined {
  try {
    const { function: name, inputHolds = '', when } = JSON.parse(text) as Record<string, unknown>
    const isMoment =
      typeof name === 'string' && typeof inputHolds === 'string' && (when === 'before' || when === 'after')
    return isMoment ? { function: name, inputHolds, when } : undefined
  } catch {
    return undefined
  }
}
