// How an instance stands: its state, or that it waits for a person, which matters more.
import type { Instance } from '../api/views.js'
import { Badge } from '../parts/badge.js'

export const InstanceState = ({ instance }: { readonly instance: Instance }) => {
  const { state, attention, approval } = instance
  return (
    <>
      {attention !== null && <Badge state="needs attention" />}{' '}
      {approval !== null && <Badge state="awaiting approval" />}
      {attention === null && approval === null && <Badge state={state} />}
    </>
  )
}
