import type { Metadata } from '../inference/read-metadata'
import { COMPLETION_WINDOW_MS, isOver, type BatchRecord, type OutputKind } from './batch-record'

/** A batch as clients see it: Azure's object (azure-facts 4), with our ids. Times in Unix seconds. */
export function batchView(record: BatchRecord, metadata: Metadata | undefined) {
  const { id, endpoint, inputFileId, status, since, counts, faults, files, unkept, createdAt, model } = record
  const shown = (kind: OutputKind) => (isOver(record) && !unkept?.includes(kind) ? (files?.[kind] ?? null) : null)
  return {
    id,
    object: 'batch' as const,
    endpoint,
    ...(model === undefined ? {} : { model }),
    errors: faults.length > 0 && isOver(record) ? { object: 'list' as const, data: faults } : null,
    input_file_id: inputFileId,
    completion_window: '24h',
    status,
    output_file_id: shown('output'),
    error_file_id: shown('errors'),
    created_at: seconds(createdAt) ?? 0,
    in_progress_at: seconds(since.in_progress),
    expires_at: seconds(createdAt + COMPLETION_WINDOW_MS),
    finalizing_at: seconds(since.finalizing),
    completed_at: seconds(since.completed),
    failed_at: seconds(since.failed),
    expired_at: seconds(since.expired),
    cancelling_at: seconds(since.cancelling),
    cancelled_at: seconds(since.cancelled),
    request_counts: counts,
    metadata: metadata ?? null,
  }
}

const seconds = (timeMs: number | undefined) => (timeMs === undefined ? null : Math.floor(timeMs / 1_000))
