// `node filters-run.mjs one|each|set SECONDS`: prints how many events a second were judged. Half of them match something.
import { compileFilter, filterSet } from 'eventspine/ingress'

const [way, seconds] = process.argv.slice(2)
const eventsMade = 1_000

const events = Array.from({ length: eventsMade }, (_, n) => ({
  id: `event-${n}`,
  source: '/shop',
  type: n % 2 === 0 ? 'orders.order-placed' : 'orders.order-cancelled',
  tenant: `tenant-${n % 50}`,
  data: {
    order: `order-${n}`,
    customer: `customer-${n}`,
    country: ['DE', 'AT', 'CH', 'FR'][n % 4],
    amount: n + 0.5,
    tags: ['new', `campaign-${n % 10}`],
    email: `person${n}@example.${n % 3 === 0 ? 'org' : 'com'}`,
  },
}))

const one = {
  type: ['orders.order-placed'],
  data: {
    country: ['DE', 'AT'],
    amount: [{ numeric: ['>', 10, '<=', 900] }],
    email: [{ suffix: '.com' }],
    tags: [{ prefix: 'campaign-' }],
  },
}

/** What customers ask for: mostly something of their own, each in another way. */
const kinds = [
  (n) => ({ data: { customer: [`customer-${n}`] } }),
  (n) => ({
    type: ['orders.order-placed'],
    data: { order: [{ prefix: `order-${n}` }], country: ['DE', 'AT'] },
  }),
  (n) => ({ data: { amount: [{ numeric: ['>=', n, '<', n + 5] }] } }),
  (n) => ({
    data: { email: [{ wildcard: `person${n}@*` }] },
    type: [{ 'anything-but': 'orders.order-lost' }],
  }),
  (n) => ({ $or: [{ data: { customer: [`customer-${n}`] } }, { data: { order: [`order-${n + 1}`] } }] }),
]
const many = Array.from({ length: 1_000 }, (_, n) => compileFilter(kinds[n % kinds.length](n)))

const filter = compileFilter(one)
const set = filterSet(many)
const judges = {
  one: (event) => (filter.matches(event) ? 1 : 0),
  each: (event) => many.filter(({ matches }) => matches(event)).length,
  set: (event) => set.matching(event).length,
}
const judge = judges[way]
let matched = 0
const round = () => {
  for (const event of events) matched += judge(event)
}

for (const until = performance.now() + 500; performance.now() < until; ) round()
const beganAt = performance.now()
let judged = 0
while (performance.now() - beganAt < seconds * 1_000) {
  round()
  judged += events.length
}
if (matched === 0) throw new Error('Nothing matched: nothing was measured')
process.stdout.write(String(judged / ((performance.now() - beganAt) / 1_000)))
