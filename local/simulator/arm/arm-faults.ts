import { ArmError, type ArmFailure } from './arm-answer'
import type { ArmFaultRule } from './arm-config'

/** The faults of the configuration, each met by its next so many requests. */
export class ArmFaults {
  #armed: { readonly rule: ArmFaultRule; left: number }[] = []

  arm(rules: readonly ArmFaultRule[]): void {
    this.#armed = rules.map((rule) => ({ rule, left: rule.next }))
  }

  /** Throws the answer that a fault puts in place of ARM's own. */
  check(method: string, path: string): void {
    const rule = this.#take('answer', method, path)
    if (!rule) return
    const { status, code, message, retryAfterSeconds } = rule
    const headers: Record<string, string> =
      retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
    throw new ArmError(status, code, message, headers)
  }

  /** How what this PUT makes is to end badly, if it is. */
  failureOf(path: string): ArmFailure | undefined {
    const rule = this.#take('operation', 'PUT', path)
    return rule && { code: rule.code, message: rule.message }
  }

  #take(kind: ArmFaultRule['kind'], method: string, path: string): ArmFaultRule | undefined {
    const met = this.#armed.find(
      ({ rule, left }) =>
        left > 0 &&
        rule.kind === kind &&
        (rule.method === undefined || rule.method === method) &&
        path.toLowerCase().includes((rule.path ?? '').toLowerCase()),
    )
    if (!met) return undefined
    met.left--
    return met.rule
  }
}
