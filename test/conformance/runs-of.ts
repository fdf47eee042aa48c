import { odata, TableClient } from '@azure/data-tables'
import { testConnectionString } from '../harness/storage'

/** What the fixture app's function `name` noted of each of its runs, oldest first. */
export async function runsOf<T>(runId: string, name: string): Promise<T[]> {
  const options = { allowInsecureConnection: true }
  const table = TableClient.fromConnectionString(testConnectionString(), `Runs${runId}`, options)
  const notes: T[] = []
  try {
    const filter = odata`PartitionKey eq ${name}`
    for await (const { what } of table.listEntities<{ what: string }>({ queryOptions: { filter } })) {
      notes.push(JSON.parse(what) as T)
    }
  } catch (error) {
    // The app makes the table with its first note.
    if ((error as { statusCode?: number }).statusCode !== 404) throw error
  }
  return notes
}
