// What sources have taken: one row for each thing that they may meet again.
import type { SourceItem, SourceItemPort } from '../../source/port.js'
import type { Database } from './database.js'

// From the prefix on, and not from the beginning: a source may have taken under other prefixes before.
const list = `SELECT item, version FROM eventspine.source_item
WHERE source = $1 AND item > $2 AND ($3::text IS NULL OR item <= $3) AND item >= $4 AND starts_with(item, $4)
ORDER BY item LIMIT $5`

const take = `INSERT INTO eventspine.source_item (source, item, version)
SELECT $1, item, version FROM unnest($2::text[], $3::text[]) AS taken (item, version) ORDER BY item COLLATE "C"
ON CONFLICT (source, item) DO UPDATE SET version = excluded.version`

// Of the version that was seen to be gone alone: another run may have taken a newer one meanwhile.
const forget = `DELETE FROM eventspine.source_item USING unnest($2::text[], $3::text[]) AS gone (item, version)
WHERE source_item.source = $1 AND source_item.item = gone.item AND source_item.version = gone.version`

const columns = (items: readonly SourceItem[]) => [
  items.map(({ item }) => item),
  items.map(({ version }) => version),
]

export function sourceItemStatements(database: Database): SourceItemPort {
  return {
    sourceItems: (source, { after, upTo, prefix, limit }) =>
      database.query<SourceItem>('read', 'source.items', list, [source, after, upTo, prefix, limit]),

    async noteSourceItems(source, taken, gone) {
      if (taken.length > 0)
        await database.query('read', 'source.take-items', take, [source, ...columns(taken)])
      if (gone.length > 0)
        await database.query('read', 'source.forget-items', forget, [source, ...columns(gone)])
    },
  }
}
