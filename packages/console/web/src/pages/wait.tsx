// Why a delivery waits, with the way to where that ends.
import type { DeliveryWait } from '../api/views.js'
import { Moment } from '../parts/moment.js'
import { Link } from '../route/link.js'

interface WaitProps {
  readonly for: DeliveryWait
  readonly subscription: string
}

export function Wait({ for: wait, subscription }: WaitProps) {
  switch (wait.kind) {
    case 'paused':
      return (
        <Link to="subscriptions" params={{ name: subscription }}>
          {subscription} is paused
        </Link>
      )
    case 'breaker':
      return <Link to="breakers">breaker {wait.breaker} is open</Link>
    case 'letter':
      return (
        <>
          behind{' '}
          <Link to="dead-letters" params={{ letter: wait.letter }}>
            letter {wait.letter}
          </Link>
        </>
      )
    case 'key':
      return <>an earlier event of its key is not through</>
    case 'retry':
      return (
        <>
          next attempt due <Moment at={wait.dueAtMs} />
        </>
      )
    case 'worker':
      return <Link to="workers">no worker holds {subscription}</Link>
    case 'turn':
      return (
        <>
          others of{' '}
          <Link to="subscriptions" params={{ name: subscription }}>
            {subscription}
          </Link>{' '}
          are before it
        </>
      )
  }
}
