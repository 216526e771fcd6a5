// What alarms of this patient are held against: a limit that somebody has set is seen by whoever looks at the bed.
import type { LimitsView } from '../../src/views.js'
import { make, say } from '../page/dom.js'
import { dayAndTimeOf } from '../page/words.js'

export type Limits = Omit<LimitsView, 'setAt'> & { readonly setAt: string | null }

export class PatientLine {
  readonly element = make('p', { class: 'faint', 'aria-label': 'Limits' })

  show({ limits, saturationScale, setBy, setAt }: Limits): void {
    const own = limits.filter(({ limit, usual }) => limit !== usual)
    const named = own.map(({ text, limit, usual }) => `${text} ${limit} (usual ${usual})`)
    const said = named.length === 0 ? 'Usual limits' : `Own limits: ${named.join(', ')}`
    const who = setBy === null || setAt === null ? '' : ` · set by ${setBy}, ${dayAndTimeOf(setAt)}`
    say(this.element, `${said} · saturation scale ${saturationScale}${who}`)
  }
}
