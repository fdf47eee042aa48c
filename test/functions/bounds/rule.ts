import type { World } from './world'

/** Something that holds between fields, or between a field and what there is. */
export interface Rule {
  readonly what: string
  readonly operation: string
  /** By default those of the operation's baseline. */
  readonly params?: (world: World) => Readonly<Record<string, string>>
  readonly refused: (world: World) => object
  readonly path: string
  /** What the refusal must say of what would be valid. */
  readonly says: RegExp
  /** The nearest that is sound. Absent where the rule has none that changes nothing else. */
  readonly taken?: (world: World) => object
}
