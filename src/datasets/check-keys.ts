import type { JsonObject } from '../base/json-object'
import type { FaultList } from './fault-list'
import { shown } from './json-kinds'

/** `prefix` is the path of the object with its full stop, or empty. */
export function checkKeys(value: JsonObject, known: readonly string[], prefix: string, faults: FaultList): void {
  for (const key in value) {
    if (known.includes(key)) continue
    const named = shown(key)
    faults.add(
      'unknown_key',
      prefix.slice(0, -1),
      `${named} is no key of the format here; known are ${known.join(', ')}.`,
    )
  }
}
