// Links to what the workflow of the target asks: made here by the fuzz, read there by the server.
import { approvalLinks } from 'eventspine/workflow'

export const links = approvalLinks({
  url: 'https://fuzz.example',
  secrets: ['a secret of the fuzz that is long enough'],
})

const until = new Date(Date.UTC(2100, 0))

export function tokenFor(id: string): string {
  const link = links.link({ tenant: 'default', workflow: 'ask', id }, 'release', { by: 'fuzz', until })
  return link.slice(link.lastIndexOf('/') + 1)
}
