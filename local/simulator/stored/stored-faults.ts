import { StandingFaults, type ChosenFault, type FaultRule } from '../faults'
import { hashText, mixHash, seededRandom } from '../random'

/** Standing faults of what accounts keep, by operation: no deployment has to do with `files.delete`. */
export class StoredFaults {
  readonly #byOperation: ReadonlyMap<string, StandingFaults>

  constructor(rules: Readonly<Record<string, readonly FaultRule[]>>, seed: number) {
    this.#byOperation = new Map(
      Object.entries(rules).map(([operation, of]) => [
        operation,
        new StandingFaults(of, seededRandom(mixHash(seed, hashText(operation)))),
      ]),
    )
  }

  choose(operation: string): ChosenFault | undefined {
    return this.#byOperation.get(operation)?.choose()
  }
}
