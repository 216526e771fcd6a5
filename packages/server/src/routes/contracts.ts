// Contracts: what each version of an event looks like, who writes and who reads it, and what does not fit.
import { defineRoute } from '../route/route.js'
import { contractsView } from '../schema/contracts.js'
import { cellQuery, noPath } from '../schema/parts.js'

const listContracts = defineRoute({
  method: 'GET',
  url: '/v1/contracts',
  operationId: 'listContracts',
  tag: 'Contracts',
  summary: 'List the registered versions of events with their producers and consumers',
  description:
    'Of all apps that share the cell. Producers are those that the map sees; findings judge the app that this server runs.',
  access: { scope: 'read', tenancy: 'system' },
  path: noPath,
  query: cellQuery,
  successes: [{ status: 200, description: 'All contracts', schema: contractsView }],
  problems: ['CELL_UNKNOWN'],
  async handle({ spine, query }) {
    const operator = spine.operator(query.cell)
    const { contracts } = operator
    const [inUse, findings, { edges }] = await Promise.all([
      contracts.inUse(),
      contracts.check(),
      operator.map(),
    ])
    const items = inUse.map((contract) => {
      const into = edges.filter(({ to, seen }) => seen && to === `event:${contract.type}`)
      return { ...contract, producers: into.map(({ from }) => from).sort() }
    })
    return { body: { items, findings } }
  },
})

export const contractRoutes = [listContracts]
