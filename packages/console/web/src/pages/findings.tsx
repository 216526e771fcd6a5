// What is wrong, the worst first, each with a way to where it is mended. A long list hides nothing else: it is opened on demand.
import type { Finding, FindingPlace } from '../api/system-views.js'
import { Badge } from '../parts/badge.js'
import { count, counted } from '../parts/format.js'
import { Link } from '../route/link.js'
import { type Params, usePlace } from '../route/place.js'

/** Shown at first. */
const worstMax = 5

const nouns = [
  ['error', 'error'],
  ['warning', 'warning'],
  ['info', 'note'],
] as const

/** `1 error, 3 warnings`; empty without any. */
export const countedFindings = (findings: readonly Finding[]) =>
  nouns
    .map(([severity, noun]) => [findings.filter((each) => each.severity === severity).length, noun] as const)
    .flatMap(([many, noun]) => (many === 0 ? [] : [counted(many, noun)]))
    .join(', ')

/** They come the worst first. Whether all are shown stands in the address. */
export function Findings({ findings }: { readonly findings: readonly Finding[] }) {
  const all = usePlace().params.get('findings') === 'all'
  if (findings.length === 0) return null
  return (
    <section className="findings" aria-label="Findings">
      <h2>Findings</h2>
      <ul className="plain">
        {(all ? findings : findings.slice(0, worstMax)).map((finding) => (
          <One key={`${finding.subject} ${finding.message}`} finding={finding} />
        ))}
      </ul>
      {findings.length > worstMax && (
        <p>
          <Link to="" params={all ? {} : { findings: 'all' }}>
            {all ? 'Only the worst' : `and ${count(findings.length - worstMax)} more`}
          </Link>
        </p>
      )}
    </section>
  )
}

function One({ finding }: { readonly finding: Finding }) {
  const { severity, subject, message, advice, place, here } = finding
  return (
    <li>
      <Badge state={severity} />{' '}
      <strong>{place === null ? subject : <Link {...pageOf(place)}>{subject}</Link>}</strong> {message}{' '}
      {place === null || here === undefined ? (
        <span className="faint">{advice}</span>
      ) : (
        // The command line has a command for it, and this page a button.
        <Link {...pageOf(place)}>{here}</Link>
      )}
    </li>
  )
}

/** Where it can be mended. */
function pageOf({ kind, name }: FindingPlace): { readonly to: string; readonly params: Params } {
  if (name === null) return { to: kind, params: kind === 'workflows' ? { state: 'needs-attention' } : {} }
  if (kind === 'subscription') return { to: 'subscriptions', params: { name } }
  if (kind === 'dead-letters') return { to: kind, params: { subscription: name } }
  return { to: kind, params: { workflow: name, state: 'open' } }
}
