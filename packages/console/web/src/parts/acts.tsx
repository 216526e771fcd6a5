// The way to who did what with a thing, and why: the audit. It spans tenants, so a key of one has no part in it.
import { useSession } from '../frame/session.js'
import { Link } from '../route/link.js'

/** `target`: as the audit has it. */
export function Acts({ target }: { readonly target: string }) {
  const { tenant } = useSession()
  if (tenant !== null) return <span className="faint">in the audit</span>
  return (
    <Link to="audit" params={{ target }}>
      in the audit
    </Link>
  )
}
