// The example of the guide: a table of another system, whose rows become events. A row goes when its event is stored.
import { defineApp, defineEvent } from 'eventspine'
import { customSource } from 'eventspine/source'
import pg from 'pg'
import { z } from 'zod'

const orderPlaced = defineEvent({
  type: 'orders.order-placed',
  schema: z.object({ order: z.int(), cents: z.int() }),
})

// guide: begin
const shopOrders = customSource({
  name: 'shop-orders',
  where: 'one-worker',
  to: (message) => ({ event: orderPlaced, data: message.json() }),
  async run({ receive, signal, pause }) {
    const shop = new pg.Client(process.env['SHOP_DATABASE_URL'])
    await shop.connect()
    try {
      while (!signal.aborted) {
        const { rows } = await shop.query(
          'SELECT id, body FROM outbox WHERE octet_length(body) <= 262144 ORDER BY id LIMIT 100',
        )
        await Promise.all(rows.map(({ id, body }) => receive({ id: String(id), body })))
        await shop.query('DELETE FROM outbox WHERE id = ANY($1)', [rows.map(({ id }) => id)])
        if (rows.length === 0) await pause(500)
      }
    } finally {
      await shop.end()
    }
  },
})
// guide: end

export const outboxApp = defineApp({ name: 'books', events: [orderPlaced], sources: [shopOrders] })
