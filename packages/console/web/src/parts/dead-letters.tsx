// How many dead letters a subscription has, and the way to them: those of its replays are named apart, and found there as well.
import { Link } from '../route/link.js'
import { count } from './format.js'

interface DeadLettersProps {
  readonly of: { readonly name: string; readonly dead: number; readonly replayDead: number }
}

export function DeadLetters({ of: { name, dead, replayDead } }: DeadLettersProps) {
  if (dead + replayDead === 0) return <>0</>
  return (
    <Link to="dead-letters" params={{ subscription: name }}>
      {count(dead)}
      {replayDead > 0 && `, and ${count(replayDead)} of replays`}
    </Link>
  )
}
