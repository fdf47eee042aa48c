import type { Turn } from './turn'

export const RUNTIME_STATUSES = ['Pending', 'Running', 'Suspended', 'Completed', 'Failed', 'Terminated'] as const
export type RuntimeStatus = (typeof RUNTIME_STATUSES)[number]

/** Who waits for a sub-orchestration: the instance, which execution of it, and under which number. */
export interface Parent {
  readonly instanceId: string
  readonly executionId: string
  readonly taskNumber: number
}

/** An orchestration or entity as its row `i` holds it. JSON values are texts. */
export interface InstanceRecord {
  readonly instanceId: string
  readonly kind: 'orchestration' | 'entity'
  readonly name: string
  readonly status: RuntimeStatus
  readonly createdMs: number
  readonly updatedMs: number
  /** Made new when the id is started anew; messages for an earlier life are dropped. */
  readonly lifeId: string
  /** Made new with each continueAsNew as well; results for an earlier execution are dropped. */
  readonly executionId: string
  /** Counts executions over all lives of the id, so that rows of an earlier one are told apart. */
  readonly generation: number
  /** Turns of this generation that are stored. */
  readonly turns: number
  readonly parent: Parent | undefined
  readonly output: string | undefined
  readonly customStatus: string | undefined
  readonly entity: EntityState | undefined
}

export interface EntityState {
  readonly exists: boolean
  readonly state: string | null
  /** For each recent sender the last message taken: senders deliver in order, so anything not later is a repeat. */
  readonly seen: Readonly<Record<string, string>>
}

export function isFinished({ status }: Pick<InstanceRecord, 'status'>): boolean {
  return status === 'Completed' || status === 'Failed' || status === 'Terminated'
}

/** A message that waits in the partition of the instance it is for. */
export type Message =
  | {
      readonly kind: 'task-result'
      readonly executionId: string
      readonly taskNumber: number
      readonly outcome: TaskOutcome
    }
  | { readonly kind: 'event'; readonly lifeId: string; readonly name: string; readonly input: string }
  /** An entity's answer: an event as well, but meant for one execution only. */
  | { readonly kind: 'answer'; readonly executionId: string; readonly requestId: string; readonly input: string }
  | { readonly kind: 'suspend' | 'resume' | 'terminate'; readonly lifeId: string; readonly reason: string }
  | {
      readonly kind: 'operation'
      readonly name: string
      readonly input: string | undefined
      readonly replyTo:
        { readonly instanceId: string; readonly executionId: string; readonly requestId: string } | undefined
      /** Undefined for clients, who do not send anything twice by themselves. */
      readonly sender: { readonly id: string; readonly sequence: string } | undefined
    }

export type TaskOutcome =
  | { readonly kind: 'completed'; readonly result: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly details: string }

export interface StoredMessage {
  readonly key: string
  readonly message: Message
}

/** Something to be done to another instance, kept in the sender's partition until it is done. */
export type Outgoing =
  | {
      readonly kind: 'start'
      readonly instanceId: string
      readonly name: string
      readonly input: string
      readonly parent: Parent
    }
  | { readonly kind: 'message'; readonly instanceId: string; readonly message: Message }

export interface OutboxRow {
  readonly key: string
  readonly entries: readonly Outgoing[]
}

const ordinal = (value: number, digits: number) => String(value).padStart(digits, '0')

/** Row keys; the letters in front keep kinds apart, the padding makes them sort by age. */
export const turnKey = ({ generation, turn }: Pick<Turn, 'generation' | 'turn'>) =>
  `h${ordinal(generation, 6)}_${ordinal(turn, 8)}`
export const outboxKey = (generation: number, turn: number) => `x${ordinal(generation, 6)}_${ordinal(turn, 8)}`
/** Results and answers have the same key however often they are delivered, so a repeat changes nothing. */
export const messageKey = (message: Message, order: string) => {
  if (message.kind === 'task-result') return `mt_${message.executionId}_${message.taskNumber}`
  if (message.kind === 'answer') return `ma_${message.executionId}_${message.requestId}`
  return `mz${order}`
}
/** Orders the messages of one sender to one receiver; see EntityState.seen. */
export const sequenceOf = (generation: number, turn: number, index: number) =>
  `${ordinal(generation, 6)}_${ordinal(turn, 8)}_${ordinal(index, 6)}`
