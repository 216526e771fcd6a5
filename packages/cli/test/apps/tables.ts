// An app with a table of its own as a source.
import { defineApp, defineSubscription } from 'eventspine'
import { tableSource } from 'eventspine/source'

const orders = tableSource({
  ...{ name: 'orders-table', table: 'public.orders', type: 'shop.order-row', key: 'id' },
  columns: ['id', 'status'],
})
const follow = defineSubscription({ name: 'follow', on: orders.event, handle: () => {} })

export default defineApp({ name: 'shop', subscriptions: [follow], sources: [orders] })
