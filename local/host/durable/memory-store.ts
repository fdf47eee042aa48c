import type { Commit, CommitResult, HubStore, InstanceFilter, Partition, StoredInstance } from './hub-store'
import { outboxKey, turnKey } from './records'

interface Rows {
  instance: StoredInstance | undefined
  readonly others: Map<string, object>
}

/** A hub in memory, with the same rules as the table: for unit tests of the engine only. Values are copied in and out. */
export function createMemoryStore(): HubStore {
  const partitions = new Map<string, Rows>()
  let versions = 0
  const rowsOf = (instanceId: string) => {
    const rows = partitions.get(instanceId) ?? { instance: undefined, others: new Map<string, object>() }
    partitions.set(instanceId, rows)
    return rows
  }
  return {
    init: () => Promise.resolve(),
    commit: (change) => Promise.resolve(commit(rowsOf(change.instanceId), structuredClone(change), `v${++versions}`)),
    partition: (instanceId) => Promise.resolve(structuredClone(partitionOf(partitions.get(instanceId)))),
    get: (instanceId) => Promise.resolve(structuredClone(partitions.get(instanceId)?.instance)),
    openIds: () =>
      Promise.resolve([...partitions].filter(([, { instance }]) => instance?.isOpen).map(([instanceId]) => instanceId)),
    list: (filter) => {
      const instances = [...partitions.values()].flatMap(({ instance }) => instance ?? [])
      const matching = instances.filter((instance) => matches(filter, instance))
      return Promise.resolve({ instances: structuredClone(matching), continuation: undefined })
    },
    purge: (instanceId) => Promise.resolve(partitions.delete(instanceId)),
  }
}

function commit(rows: Rows, change: Commit, version: string): CommitResult {
  const { record, turn, messages = [], outbox = [], remove = [] } = change
  if (record && rows.instance?.version !== record.basedOn) return { kind: 'lost' }
  if (remove.some((key) => !rows.others.has(key))) return { kind: 'lost' }
  if (record) {
    const input = record.input ?? rows.instance?.input ?? 'null'
    rows.instance = { record: record.value, input, version, isOpen: record.isOpen }
  }
  for (const key of remove) rows.others.delete(key)
  if (turn) rows.others.set(turnKey(turn), turn)
  for (const row of [...messages, ...outbox]) rows.others.set(row.key, row)
  return { kind: 'written', version: record && version }
}

function partitionOf(rows: Rows | undefined): Partition | undefined {
  if (!rows?.instance) return undefined
  const of = <T>(letter: string) =>
    [...rows.others].filter(([key]) => key.startsWith(letter)).map(([, value]) => value as T)
  return {
    ...rows.instance,
    turns: of<Partition['turns'][number]>('h'),
    messages: of<Partition['messages'][number]>('m'),
    outbox: of<Partition['outbox'][number]>(outboxKey(0, 0).charAt(0)),
  }
}

function matches(filter: InstanceFilter, { record }: StoredInstance): boolean {
  const { kind, name, statuses, createdFromMs = -Infinity, createdToMs = Infinity } = filter
  if (record.kind !== kind || (name !== undefined && record.name !== name)) return false
  if (statuses.length > 0 && !statuses.includes(record.status)) return false
  return record.createdMs >= createdFromMs && record.createdMs <= createdToMs
}
