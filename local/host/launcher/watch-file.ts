import { type FSWatcher, watch } from 'node:fs'
import path from 'node:path'

/** A build writes a bundle in several steps; a restart in between would load half of it. */
const DEBOUNCE_MS = 200

/** Calls back some time after the file was last written. Watches its folder, since builds replace files. */
export function watchFile(file: string, onChange: () => void): FSWatcher {
  const name = path.basename(file)
  let timer: NodeJS.Timeout | undefined
  const watcher = watch(path.dirname(file), (_event, changed) => {
    if (changed !== name) return
    clearTimeout(timer)
    timer = setTimeout(onChange, DEBOUNCE_MS)
  })
  watcher.on('close', () => clearTimeout(timer))
  return watcher
}
