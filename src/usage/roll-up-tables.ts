import { CallTable } from './call-table'
import { SumsTable } from './sums-table'

/** Where the roll-up of one blob keeps its numbers: up to 7 MB for a full blob, to be used for one after the other. */
export class RollUpTables {
  readonly calls = new CallTable()
  readonly sums = new SumsTable()

  clear(): void {
    this.calls.clear()
    this.sums.clear()
  }
}
