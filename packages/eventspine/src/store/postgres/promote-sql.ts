// Which waiting delivery is next: the first row of its key by log order, its head, where no row of the key is active (a redriven letter
// may wait before it) and the key is not halted; the halting letter that was sent again halts all but itself.
//
// Each is one probe: the first row at or behind a key, in the order of the one index that has that order. Asked for rows of the key, the
// planner, which has no statistics of tables that are empty most of the time, took any index whose first columns fit, and read all that
// runs, all letters of a tenant and all that waits: 100 keys of 150,000 waiting rows took 3.5 to 4.9 s until the table was analysed, and take 9 ms so.
const place = (row: string) => `${row}.subscription, ${row}.replay, ${row}.shard, ${row}.tenant, ${row}.key`
const letterPlace = (row: string) =>
  `${row}.subscription, ${row}.tenant, ${row}.key, ${row}.replay, ${row}.shard`

const heads = (keys: string) => `heads AS MATERIALIZED (
  SELECT f.*, head.row, head.epoch, head.seq, head.state FROM ${keys} f CROSS JOIN LATERAL (
    SELECT r.ctid AS row, r.epoch, r.seq, r.state, (${place('r')}) = (${place('f')}) AS found FROM eventspine.delivery r
    WHERE (${place('r')}) >= (${place('f')}) ORDER BY ${place('r')}, r.tick, r.seq LIMIT 1) head
  WHERE head.found
)`

const free = (also = '') => `free AS MATERIALIZED (
  SELECT h.row FROM heads h
  WHERE h.state = 'waiting'${also}
    AND (SELECT (${place('a')}) = (${place('h')}) FROM eventspine.delivery a
      WHERE (${place('a')}) >= (${place('h')}) AND a.state <> 'waiting' AND a.key IS NOT NULL ORDER BY ${place('a')} LIMIT 1) IS NOT TRUE
    AND (SELECT (${letterPlace('l')}) = (${letterPlace('h')}) FROM eventspine.dead_letter l
      WHERE (${letterPlace('l')}) >= (${letterPlace('h')}) AND l.halts AND l.state IN ('dead', 'redriving')
        AND (l.state = 'dead' OR (l.epoch, l.seq) <> (h.epoch, h.seq)) ORDER BY ${letterPlace('l')} LIMIT 1) IS NOT TRUE
)`

// Nobody changes a row that waits but by this. One that was made due meanwhile is another version of it, and left alone.
const due = `UPDATE eventspine.delivery d SET state = 'retry', due_at = clock_timestamp() FROM free
WHERE d.ctid = free.row AND d.state = 'waiting'`

/**
 * Makes the first waiting delivery of each key due: run it in the transaction that ended what the key waited for.
 * Parameters: arrays of subscription, replay, shard, tenant, key.
 */
export const promoteKeySql = `WITH freed AS MATERIALIZED (
  SELECT DISTINCT i.* FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[])
    AS i(subscription, replay, shard, tenant, key)
), ${heads('freed')}, ${free()}
${due}`

/** The same for keys of one consumer, while its lease holds: subscription, replay, shard, arrays of tenant and key, token. Answers the
 *  keys of which anything is left. */
export const promoteSql = `WITH asked AS MATERIALIZED (
  SELECT DISTINCT $1::text AS subscription, $2::text AS replay, $3::int AS shard, i.* FROM unnest($4::text[], $5::text[]) AS i(tenant, key)
), ${heads('asked')}, ${free(`
    AND EXISTS (SELECT FROM eventspine.consumer c WHERE c.subscription = $1 AND c.replay = $2 AND c.shard = $3 AND c.token = $6)`)}, promoted AS (
  ${due})
SELECT tenant, key FROM heads`
