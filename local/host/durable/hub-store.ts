import type { InstanceRecord, OutboxRow, StoredMessage } from './records'
import type { Turn } from './turn'

/** Identifies the version of an instance's record that a change is based on. */
export type Version = string & { readonly brand?: 'version' }

/** A change of one instance's partition; all of it happens or none of it. */
export interface Commit {
  readonly instanceId: string
  readonly record?: {
    readonly value: InstanceRecord
    /** JSON text; undefined leaves what is stored. */
    readonly input?: string | undefined
    /** False lets the instance rest: it is not loaded at the next start. */
    readonly isOpen: boolean
    /** The version that must be stored now; undefined: there must be none. */
    readonly basedOn: Version | undefined
  }
  readonly turn?: Turn
  readonly messages?: readonly StoredMessage[]
  readonly outbox?: readonly OutboxRow[]
  /** Keys of rows to delete. Each must exist, else the whole commit is lost. */
  readonly remove?: readonly string[]
}

/** `lost`: somebody else changed the partition, or a row to delete was gone; nothing was written. */
export type CommitResult =
  { readonly kind: 'written'; readonly version: Version | undefined } | { readonly kind: 'lost' }

export interface StoredInstance {
  readonly record: InstanceRecord
  readonly input: string
  readonly version: Version
  readonly isOpen: boolean
}

/** Everything that is stored of one instance; lists in the order of their keys, messages in the order of arrival. */
export interface Partition extends StoredInstance {
  readonly turns: readonly Turn[]
  readonly messages: readonly StoredMessage[]
  readonly outbox: readonly OutboxRow[]
}

export interface InstanceFilter {
  readonly kind: InstanceRecord['kind']
  readonly name?: string
  /** Empty: any. One that no instance ever has is allowed and matches nothing. */
  readonly statuses: readonly string[]
  readonly createdFromMs?: number
  readonly createdToMs?: number
}

export interface InstancePage {
  readonly instances: readonly StoredInstance[]
  readonly continuation: string | undefined
}

/** Where a task hub lives. All methods reject when the storage fails; what was written is then not known. */
export interface HubStore {
  init(): Promise<void>
  commit(change: Commit): Promise<CommitResult>
  partition(instanceId: string): Promise<Partition | undefined>
  get(instanceId: string): Promise<StoredInstance | undefined>
  /** Instances with anything left to do. */
  openIds(): Promise<string[]>
  list(filter: InstanceFilter, page: { sizeMax: number; continuation?: string | undefined }): Promise<InstancePage>
  /** False when there was nothing. Not atomic: a purge that is cut off can be repeated. */
  purge(instanceId: string): Promise<boolean>
}
