import type { ContainerClient } from '@azure/storage-blob'
import { isStatus } from '../storage-error'

/** When a timer last ran and is next due, in epoch milliseconds. */
export interface ScheduleStatus {
  readonly lastMs: number
  readonly nextMs: number
  readonly lastUpdatedMs: number
}

/** Keeps a timer's status between runs of the host. */
export interface ScheduleMonitor {
  read(): Promise<ScheduleStatus | undefined>
  write(status: ScheduleStatus): Promise<void>
}

/** The blob `timers/<hostId>/<function>/status` in azure-webjobs-hosts, where and as the real host keeps it. */
export function blobMonitor(container: ContainerClient, hostId: string, functionName: string): ScheduleMonitor {
  const blob = container.getBlockBlobClient(`timers/${hostId}/${functionName}/status`)
  return {
    read: async () => {
      try {
        const text = (await blob.downloadToBuffer()).toString('utf8')
        const { Last, Next, LastUpdated } = JSON.parse(text) as Record<string, string>
        return { lastMs: parse(Last), nextMs: parse(Next), lastUpdatedMs: parse(LastUpdated) }
      } catch (error) {
        if (isStatus(error, 404)) return undefined
        throw error
      }
    },
    write: async (status) => {
      const text = JSON.stringify(statusJson(status))
      await container.createIfNotExists()
      await blob.upload(text, Buffer.byteLength(text))
    },
  }
}

/** For schedules that are not monitored: every minute or more often, or `useMonitor: false`. */
export const noMonitor: ScheduleMonitor = { read: () => Promise.resolve(undefined), write: () => Promise.resolve() }

/** The form that both the blob and the function's input have. */
export function statusJson({ lastMs, nextMs, lastUpdatedMs }: ScheduleStatus) {
  return { Last: iso(lastMs), Next: iso(nextMs), LastUpdated: iso(lastUpdatedMs) }
}

/** 0 stands for never, which .NET writes as the year 1. */
function iso(ms: number): string {
  return ms === 0 ? '0001-01-01T00:00:00.000Z' : new Date(ms).toISOString()
}

function parse(text: string | undefined): number {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) || ms < 0 ? 0 : ms
}
