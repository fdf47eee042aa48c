import type { HostClock } from '../clock'

/** The timers of one orchestration that are running, by their numbers. */
export class InstanceTimers {
  private readonly cancels = new Map<number, () => void>()

  constructor(private readonly clock: HostClock) {}

  /** Sets a timer, in place of one of the same number. */
  set(taskNumber: number, fireAtMs: number, onFire: () => void): void {
    this.stop(taskNumber)
    const cancel = this.clock.at(fireAtMs, () => {
      this.cancels.delete(taskNumber)
      onFire()
    })
    this.cancels.set(taskNumber, cancel)
  }

  stop(taskNumber: number): void {
    this.cancels.get(taskNumber)?.()
    this.cancels.delete(taskNumber)
  }

  stopAll(): void {
    for (const taskNumber of this.cancels.keys()) this.stop(taskNumber)
  }
}
