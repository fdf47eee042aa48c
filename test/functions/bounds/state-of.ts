import type { ControlPlaneServer } from '../control-plane-server'

/** Everything that the platform keeps, but for the audit log, which grows by attempts too: rows with their versions, by table. */
export async function stateOf({ storage }: ControlPlaneServer): Promise<Readonly<Record<string, readonly string[]>>> {
  const names = (await storage.tableNames()).filter((name) => name !== 'audit').sort()
  const tables = names.map(async (name): Promise<[string, readonly string[]]> => {
    const rows: string[] = []
    for await (const row of storage.table(name).listEntities()) rows.push(JSON.stringify(row))
    return [name, rows.sort()]
  })
  return Object.fromEntries(await Promise.all(tables))
}
