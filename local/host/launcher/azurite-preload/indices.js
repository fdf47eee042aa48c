const { createRequire } = require('node:module')
const { default: TableStore } = require('azurite/dist/src/table/persistence/LokiTableMetadataStore')
const Loki = createRequire(require.resolve('azurite/package.json'))('lokijs')

/**
 * A real table finds a row by its partition and its key, and a range of one partition without a look at the others. Azurite goes through
 * all rows that have the key, in whatever partition, and for a range through the whole table: what each of 10,000 tenants has takes milliseconds of its one thread to find. Both indices are there; with this they are used.
 */
const { findOne } = Loki.Collection.prototype
Loki.Collection.prototype.findOne = function findOneByNarrower(query) {
  const names = Object.keys(query ?? {})
  const isRow = names.length === 2 && names.every((name) => name === 'PartitionKey' || name === 'RowKey')
  if (!isRow || names.some((name) => !this.binaryIndices[name])) return findOne.call(this, query)
  const [first, second] = names.toSorted((a, b) => rowsWith(this, a, query[a]) - rowsWith(this, b, query[b]))
  return findOne.call(this, { [first]: query[first], [second]: query[second] })
}

/** At most so many; found without looking at them. */
function rowsWith(collection, name, value) {
  collection.ensureIndex(name)
  const [from, to] = collection.calculateRange('$eq', name, value)
  return to - from + 1
}

/** The filter of whoever asks for one partition begins so. */
const ONE_PARTITION = /^\(?PartitionKey eq '((?:[^']|'')+)'(?: and |\)|$)/

const { queryTableEntities } = TableStore.prototype
TableStore.prototype.queryTableEntities = function queryInPartition(context, account, table, options, ...next) {
  const [, partition] = ONE_PARTITION.exec(options.filter ?? '') ?? []
  if (partition === undefined || / or /.test(options.filter))
    return queryTableEntities.call(this, context, account, table, options, ...next)
  const rows = this.getEntityCollection(account, table, context)
  const ofPartition = () => rows.chain().find({ PartitionKey: partition.replaceAll("''", "'") })
  const store = Object.create(this, { getEntityCollection: { value: () => ({ chain: ofPartition }) } })
  return queryTableEntities.call(store, context, account, table, options, ...next)
}
