// The application's own tables, in the same database as the log: what a handler writes here and what it publishes
// commit in one transaction.
import { type Transaction, ValidationError } from 'eventspine'
import type { Holdings, Order } from './rules.js'

/** Safe to run again at each start. */
export const createTables = `
  CREATE SCHEMA IF NOT EXISTS orders;
  CREATE TABLE IF NOT EXISTS orders.idempotency (
    key text PRIMARY KEY,
    invoice text NOT NULL,
    state text NOT NULL CHECK (state IN ('INFLIGHT', 'SUCCEEDED')),
    claims int NOT NULL DEFAULT 1,
    leased_until timestamptz NOT NULL
  );
  CREATE TABLE IF NOT EXISTS orders.invoice (
    number text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('order', 'cancellation')),
    customer text NOT NULL,
    total_pence bigint NOT NULL,
    originals text[] NOT NULL
  );
  CREATE TABLE IF NOT EXISTS orders.line (
    invoice text NOT NULL REFERENCES orders.invoice,
    position int NOT NULL,
    customer text NOT NULL,
    stock_code text NOT NULL,
    quantity int NOT NULL,
    unit_pence int NOT NULL,
    PRIMARY KEY (invoice, position)
  );
  CREATE TABLE IF NOT EXISTS orders.written (key text PRIMARY KEY, written json NOT NULL);
  CREATE INDEX IF NOT EXISTS line_customer ON orders.line (customer, stock_code);
`

/** What the customer bought and has not returned, as far as these books go. */
export async function holdingsOf(tx: Transaction, customer: string | null): Promise<Holdings> {
  const { rows } = await tx.query<{ stock_code: string; held: number; invoices: string[] | null }>(
    `SELECT stock_code, sum(quantity)::int AS held, array_agg(DISTINCT invoice) FILTER (WHERE quantity > 0) AS invoices
     FROM orders.line WHERE customer = $1 GROUP BY stock_code`,
    [customer],
  )
  return new Map(
    rows.map(({ stock_code, held, invoices }) => [stock_code, { quantity: held, invoices: invoices ?? [] }]),
  )
}

/** Throws a ValidationError when the number is taken: books are corrected by a further invoice, never overwritten. */
export async function writeOrder(
  tx: Transaction,
  { number, kind, customer, totalPence, originals, lines }: Order,
): Promise<void> {
  const { rowCount } = await tx.query(
    'INSERT INTO orders.invoice VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING',
    [number, kind, customer, totalPence, originals],
  )
  if (rowCount === 0)
    throw new ValidationError(`invoice ${number} is in the books already, with another content`)
  await tx.query(
    `INSERT INTO orders.line
     SELECT $1, position, $2, stock_code, quantity, unit_pence
     FROM unnest($3::text[], $4::int[], $5::int[]) WITH ORDINALITY AS line (stock_code, quantity, unit_pence, position)`,
    [
      number,
      customer,
      lines.map((line) => line.stockCode),
      lines.map((line) => line.quantity),
      lines.map((line) => line.unitPence),
    ],
  )
}
