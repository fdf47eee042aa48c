import { randomUUID } from 'node:crypto'
import { odata, type TableClient, type TransactionAction } from '@azure/data-tables'
import type { ContainerClient } from '@azure/storage-blob'
import { isStatus } from '../storage-error'
import type { Commit, CommitResult, HubStore, InstanceFilter, Partition, StoredInstance } from './hub-store'
import { type InstanceRecord, type OutboxRow, type StoredMessage, turnKey } from './records'
import { type Columns, fromColumns, inlineCharactersMax, toColumns } from './text-columns'
import type { Turn } from './turn'

const INSTANCE_KEY = 'i'
const DELETIONS_MAX = 100
/**
 * A transaction's body may have 4 MiB, and a character up to 3 bytes (6 in escaped JSON text, which is rare). From here
 * on the longer texts of a commit go to blobs.
 */
const COMMIT_CHARACTERS_MAX = 600_000
const SPILLED_CHARACTERS_MIN = 10_000

type Row = Record<string, unknown> & { partitionKey: string; rowKey: string; etag?: string }

/**
 * A hub as one Azure table: one partition an instance, one transaction a commit. Row `i` is the instance (its ETag is
 * the version), `h…` turns, `m…` messages, `x…` the outbox. Texts too long for a row go to blobs, written before the
 * row that names them; a blob whose row was never written is left over until the instance is purged.
 */
export function createTableStore(deps: { table: TableClient; blobs: ContainerClient }): HubStore {
  return new TableStore(deps.table, deps.blobs)
}

class TableStore implements HubStore {
  constructor(
    private readonly table: TableClient,
    private readonly blobs: ContainerClient,
  ) {}

  async init(): Promise<void> {
    await Promise.all([this.table.createTable(), this.blobs.createIfNotExists()])
  }

  async commit(change: Commit): Promise<CommitResult> {
    const actions = await this.actionsOf(change)
    try {
      const answer = await this.table.submitTransaction(actions)
      if (!change.record) return { kind: 'written', version: undefined }
      // The answers come in the order of the actions, and the record's is the first. (By key it is not found: an update's
      // answer names none.)
      const etag = answer.subResponses[0]?.etag
      if (!etag) throw new Error('the table gave no ETag for a written instance')
      return { kind: 'written', version: etag }
    } catch (error) {
      if (isStatus(error, 404, 409, 412)) return { kind: 'lost' }
      throw error
    }
  }

  async partition(instanceId: string): Promise<Partition | undefined> {
    const filter = odata`PartitionKey eq ${escapeKey(instanceId)}`
    let instance: StoredInstance | undefined
    const turns: Turn[] = []
    const messages: StoredMessage[] = []
    const outbox: OutboxRow[] = []
    for await (const row of this.table.listEntities<Row>({ queryOptions: { filter } })) {
      if (row.rowKey === INSTANCE_KEY) instance = await this.instanceOf(row)
      else {
        const value: unknown = JSON.parse(await this.readText('v', row))
        if (row.rowKey.startsWith('h')) turns.push(value as Turn)
        else if (row.rowKey.startsWith('m'))
          messages.push({ key: row.rowKey, message: value as StoredMessage['message'] })
        else if (row.rowKey.startsWith('x')) outbox.push({ key: row.rowKey, entries: value as OutboxRow['entries'] })
      }
    }
    return instance && { ...instance, turns, messages, outbox }
  }

  async get(instanceId: string): Promise<StoredInstance | undefined> {
    try {
      return await this.instanceOf(await this.table.getEntity<Row>(escapeKey(instanceId), INSTANCE_KEY))
    } catch (error) {
      if (isStatus(error, 404)) return undefined
      throw error
    }
  }

  async openIds(): Promise<string[]> {
    const queryOptions = { filter: odata`RowKey eq ${INSTANCE_KEY} and open eq true`, select: ['instanceId'] }
    const ids: string[] = []
    for await (const { instanceId } of this.table.listEntities<{ instanceId: string }>({ queryOptions })) {
      ids.push(instanceId)
    }
    return ids
  }

  async list(
    filter: InstanceFilter,
    { sizeMax, continuation }: { sizeMax: number; continuation?: string | undefined },
  ) {
    const pages = this.table
      .listEntities<Row>({ queryOptions: { filter: queryOf(filter) } })
      .byPage({ maxPageSize: sizeMax, ...(continuation === undefined ? {} : { continuationToken: continuation }) })
    const instances: StoredInstance[] = []
    for await (const page of pages) {
      for (const row of page) instances.push(await this.instanceOf(row))
      const next = (page as { continuationToken?: string }).continuationToken
      return { instances, continuation: next || undefined }
    }
    return { instances, continuation: undefined }
  }

  async purge(instanceId: string): Promise<boolean> {
    const partitionKey = escapeKey(instanceId)
    const queryOptions = {
      filter: odata`PartitionKey eq ${partitionKey}`,
      select: ['rowKey', 'PartitionKey', 'RowKey'],
    }
    const keys: string[] = []
    for await (const { rowKey } of this.table.listEntities<Row>({ queryOptions })) if (rowKey) keys.push(rowKey)
    // The instance's own row goes last, so that a purge that is cut off is still found and can be repeated.
    keys.sort((a, b) => Number(a === INSTANCE_KEY) - Number(b === INSTANCE_KEY))
    for (let i = 0; i < keys.length; i += DELETIONS_MAX) {
      const part = keys.slice(i, i + DELETIONS_MAX)
      await this.table.submitTransaction(part.map((rowKey) => ['delete', { partitionKey, rowKey }]))
    }
    for await (const { name } of this.blobs.listBlobsFlat({ prefix: `${partitionKey}/` })) {
      await this.blobs.getBlobClient(name).deleteIfExists()
    }
    return keys.length > 0
  }

  private async actionsOf(change: Commit): Promise<TransactionAction[]> {
    const partitionKey = escapeKey(change.instanceId)
    const { record, turn, messages = [], outbox = [], remove = [] } = change
    const others = [
      ...(turn ? [{ rowKey: turnKey(turn), text: JSON.stringify(turn) }] : []),
      ...messages.map(({ key, message }) => ({ rowKey: key, text: JSON.stringify(message) })),
      ...outbox.map(({ key, entries }) => ({ rowKey: key, text: JSON.stringify(entries) })),
    ]
    const texts = record ? { v: JSON.stringify(record.value), n: record.input } : {}
    const characters = [...others.map(({ text }) => text), texts.v, texts.n].reduce(
      (sum, text) => sum + (text?.length ?? 0),
      0,
    )
    const spillFrom = characters > COMMIT_CHARACTERS_MAX ? SPILLED_CHARACTERS_MIN : inlineCharactersMax / 2
    const columns = (name: string, text: string) => this.toColumns(partitionKey, name, text, spillFrom)

    const actions: TransactionAction[] = []
    if (record) {
      const value = await columns('v', texts.v ?? '')
      const input = texts.n === undefined ? {} : await columns('n', texts.n)
      actions.push(instanceAction(partitionKey, record, { ...value, ...input }))
    }
    for (const { rowKey, text } of others) {
      actions.push(['upsert', { partitionKey, rowKey, ...(await columns('v', text)) }, 'Replace'])
    }
    for (const rowKey of remove) actions.push(['delete', { partitionKey, rowKey }])
    return actions
  }

  private async toColumns(partitionKey: string, name: string, text: string, spillFrom: number): Promise<Columns> {
    if (text.length <= spillFrom) return { ...toColumns(name, text), [`${name}blob`]: '' }
    const blobName = `${partitionKey}/${randomUUID()}`
    await this.blobs.getBlockBlobClient(blobName).upload(text, Buffer.byteLength(text))
    return { [`${name}n`]: 0, [`${name}blob`]: blobName }
  }

  private async readText(name: string, row: Row): Promise<string> {
    const blobName = row[`${name}blob`]
    if (typeof blobName === 'string' && blobName !== '') {
      return (await this.blobs.getBlobClient(blobName).downloadToBuffer()).toString('utf8')
    }
    const text = fromColumns(name, row)
    if (text === undefined) throw new Error(`the row ${row.partitionKey}/${row.rowKey} has no text "${name}"`)
    return text
  }

  private async instanceOf(row: Row): Promise<StoredInstance> {
    return {
      record: JSON.parse(await this.readText('v', row)) as InstanceRecord,
      input: await this.readText('n', row),
      version: row.etag ?? '',
      isOpen: row['open'] === true,
    }
  }
}

function instanceAction(
  partitionKey: string,
  record: NonNullable<Commit['record']>,
  columns: Columns,
): TransactionAction {
  const { instanceId, kind, name, status, createdMs } = record.value
  const row = {
    partitionKey,
    rowKey: INSTANCE_KEY,
    instanceId,
    kind,
    name,
    status,
    created: new Date(createdMs),
    open: record.isOpen,
    ...columns,
  }
  if (record.basedOn === undefined) return ['create', row]
  // Merge keeps the input's columns, so that a large input is not written again with each turn.
  return ['update', row, 'Merge', { etag: record.basedOn }]
}

function queryOf({ kind, name, statuses, createdFromMs, createdToMs }: InstanceFilter): string {
  const parts = [odata`RowKey eq ${INSTANCE_KEY} and kind eq ${kind}`]
  if (name !== undefined) parts.push(odata`name eq ${name}`)
  if (statuses.length > 0) parts.push(`(${statuses.map((status) => odata`status eq ${status}`).join(' or ')})`)
  if (createdFromMs !== undefined) parts.push(odata`created ge ${new Date(createdFromMs)}`)
  if (createdToMs !== undefined) parts.push(odata`created le ${new Date(createdToMs)}`)
  return parts.join(' and ')
}

/** Keys may not contain `/`, `\`, `#`, `?` and control characters; ids may. `!` marks what was replaced. */
export function escapeKey(instanceId: string): string {
  return instanceId.replace(/[^A-Za-z0-9@._: -]/g, (character) => {
    return `!${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
