import { NumberTable } from './number-table'
import { sumFields, zeroSums, type UsageSums } from './usage-sums'

/** The sums of a blob's groups, each known by its number from 0. 192 bytes a group. */
export class SumsTable {
  readonly #numbers = new NumberTable(sumFields.length, (numbers) => new Float64Array(numbers))

  /** The number of a new one, in which all is zero. */
  add(): number {
    const group = this.#numbers.addRow()
    for (let field = 0; field < sumFields.length; field++) this.#numbers.set(group, field, 0)
    return group
  }

  /** Of calls that add to nothing else. */
  count(group: number, field: keyof UsageSums, calls: number): void {
    this.#increase(group, sumFields.indexOf(field), calls)
  }

  increase(group: number, by: Readonly<UsageSums>): void {
    let field = 0
    for (const name of sumFields) {
      // Most are zero.
      if (by[name] !== 0) this.#increase(group, field, by[name])
      field++
    }
  }

  /** As they stand now. */
  of(group: number): UsageSums {
    const sums = zeroSums()
    let field = 0
    for (const name of sumFields) sums[name] = this.#numbers.get(group, field++)
    return sums
  }

  /** Forgets all groups and keeps the memory. */
  clear(): void {
    this.#numbers.clear()
  }

  #increase(group: number, field: number, by: number): void {
    this.#numbers.set(group, field, this.#numbers.get(group, field) + by)
  }
}
