import type { JobFaultRule, JobStage } from './fine-tuning-config'
import type { Strike } from './stored-job'

/** The configuration's faults of jobs, each met by its next so many. */
export class JobFaults {
  #armed: { readonly rule: JobFaultRule; left: number }[] = []

  arm(rules: readonly JobFaultRule[]): void {
    this.#armed = rules.map((rule) => ({ rule, left: rule.next }))
  }

  /** What strikes a job at a stage, and in a training at which step. */
  take(stage: JobStage): { readonly strike: Strike; readonly step: number } | undefined {
    const met = this.#armed.find(({ rule, left }) => left > 0 && rule.at === stage)
    if (!met) return undefined
    met.left--
    const { kind, code, message, step } = met.rule
    return { step, strike: kind === 'fail' ? { kind, error: { code, message, param: null } } : { kind } }
  }
}
