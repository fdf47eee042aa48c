import { parseEntityInstanceId } from './protocol'
import type { InstanceRecord, Parent } from './records'

/** The record of an orchestration that is about to begin. `generation` is one above any that the id had before. */
export function newOrchestration(
  start: { instanceId: string; name: string; generation: number; parent?: Parent },
  nowMs: number,
  newId: () => string,
): InstanceRecord {
  const { instanceId, name, generation, parent } = start
  return {
    ...blank(nowMs, newId),
    instanceId,
    kind: 'orchestration',
    name,
    status: 'Pending',
    generation,
    parent,
    entity: undefined,
  }
}

/** The record of an entity that nobody has addressed before; it does not exist until an operation gives it a state. */
export function newEntity(instanceId: string, nowMs: number, newId: () => string): InstanceRecord {
  return {
    ...blank(nowMs, newId),
    instanceId,
    kind: 'entity',
    name: parseEntityInstanceId(instanceId).name,
    status: 'Running',
    generation: 0,
    parent: undefined,
    entity: { exists: false, state: null, seen: {} },
  }
}

function blank(nowMs: number, newId: () => string) {
  return {
    createdMs: nowMs,
    updatedMs: nowMs,
    lifeId: newId(),
    executionId: newId(),
    turns: 0,
    output: undefined,
    customStatus: undefined,
  }
}
