// The phone of a carer: their own alarms, those that stand and the urgent ones first, each with one large button. It shows what it has kept where there is no
// network, and says so.
import { type Priority, priorities } from '../../src/rules/limits.js'
import { button, make, patch, say } from '../page/dom.js'
import { wayOut } from '../page/leave.js'
import { LiveSource } from '../page/live.js'
import { type SessionView } from '../page/request.js'
import { forgetGuest, session } from '../page/server.js'
import { staleBar } from '../page/stale.js'
import { plural } from '../page/words.js'
import { card, type Shown, show } from './card.js'
import { type Standing, standing, startWorker, subscribe } from './device.js'
import { heardAtMs, noteHeard } from './heard.js'
import { acknowledge, send } from './outbox.js'
import { keepAlarms, keptAlarms, type PhoneAlarm, waiting } from './store.js'

/** While acknowledgements wait, it is tried again so often. */
const againMs = 5_000
const overMax = 20
/** A push service may give this phone up while the page is open. */
const lookAtDeviceMs = 30_000

const rank = (priority: Priority) => priorities.indexOf(priority)

class Phone {
  readonly #stale = staleBar()
  readonly #device = make('section', { class: 'device', 'aria-label': 'This phone' })
  readonly #open = make('ol', { class: 'cards' })
  readonly #rest = make('ol', { class: 'cards rest' })
  readonly #openHead = make('h2', { role: 'status' })
  readonly #restHead = make('h2', { hidden: true }, 'In hand or over')
  readonly #who = make('span', { class: 'faint end' })
  readonly #ward = make('a', { href: '/sign-in' }, 'Ward board')
  #session: SessionView | undefined
  #isAlone = false
  #again = 0
  #standing: Standing | undefined
  #isSubscribing = false
  /** One look at a time: what is gone is subscribed anew once. */
  #isLooking = false

  async start(): Promise<void> {
    const out = wayOut(() => this.#session?.csrf)
    document.body.prepend(
      make('header', { class: 'head' }, make('h1', {}, 'My alarms'), this.#who, ...out),
      this.#stale.element,
      make('main', {}, this.#device, this.#openHead, this.#open, this.#restHead, this.#rest),
      make('footer', {}, this.#ward),
    )
    await this.#draw()
    addEventListener('online', () => void this.#send())
    navigator.serviceWorker?.addEventListener('message', () => void this.#draw())
    const worker = await startWorker().catch(() => undefined)
    await this.#enter()
    if (this.#session?.kind === 'carer') this.#watchDevice(worker, this.#session)
    await this.#send()
  }

  /** Without a network whoever has signed in before stays in. */
  async #enter(): Promise<void> {
    try {
      this.#session = await session()
    } catch {
      this.#isAlone = true
      this.#stale.say(false, heardAtMs())
      return void addEventListener('online', () => location.reload(), { once: true })
    }
    const { person, ward } = this.#session
    this.#who.textContent = person
    this.#ward.href = `/wards/${encodeURIComponent(ward)}`
    if (this.#session.kind === 'display') return this.#refuse(person)
    new LiveSource<PhoneAlarm>('/api/live/own-alarms', {
      keyOf: ({ id }) => id,
      fresh: (isFresh, asOfMs) => this.#heard(isFresh, asOfMs),
      show: ({ rows }) => void this.#take([...rows.values()].map((alarm) => ({ ...alarm, person }))),
    }).start()
  }

  /** Whoever opens the board in the browser of a phone has made it a display. */
  async #refuse(display: string): Promise<void> {
    await forgetGuest()
    this.#device.className = 'device wanting'
    this.#device.replaceChildren(
      make(
        'p',
        { role: 'alert' },
        `This browser is signed in as the display ${display}, and no alarms come to a display. Sign out, and open the address of your phone; it is good once, so ask for a new one if you have used it.`,
      ),
    )
    await this.#draw()
  }

  #heard(isFresh: boolean, asOfMs: number | null): void {
    if (isFresh && asOfMs !== null) noteHeard(asOfMs)
    this.#stale.say(isFresh, asOfMs ?? heardAtMs())
  }

  async #take(alarms: readonly PhoneAlarm[]): Promise<void> {
    await keepAlarms(alarms)
    await this.#draw()
  }

  #watchDevice(worker: ServiceWorkerRegistration | undefined, session: SessionView): void {
    const look = () => void this.#offer(worker, session)
    look()
    setInterval(look, lookAtDeviceMs)
    addEventListener('online', look)
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && look())
    navigator.serviceWorker?.addEventListener('message', look)
  }

  async #offer(worker: ServiceWorkerRegistration | undefined, session: SessionView): Promise<void> {
    if (this.#isSubscribing || this.#isLooking) return
    this.#isLooking = true
    const state = await standing(worker, session).finally(() => {
      this.#isLooking = false
    })
    // Somebody has pressed the button meanwhile.
    if (!this.#isSubscribing) this.#say(state, worker, session)
  }

  #say(state: Standing, worker: ServiceWorkerRegistration | undefined, session: SessionView): void {
    // What is said below the button stays until it is another thing.
    if (state === this.#standing) return
    this.#standing = state
    const text = make('p', { role: 'status' }, deviceWords[state])
    const ask = button('Send alarms to this phone', () => this.#subscribe(worker, session, text), {
      class: 'main',
    })
    this.#device.className = `device ${state === 'ready' ? 'faint' : 'wanting'}`
    this.#device.replaceChildren(text, ...(state === 'not asked' ? [ask] : []))
  }

  async #subscribe(
    worker: ServiceWorkerRegistration | undefined,
    session: SessionView,
    text: HTMLElement,
  ): Promise<void> {
    if (worker === undefined || this.#isSubscribing) return
    this.#isSubscribing = true
    try {
      this.#say(await subscribe(worker, session), worker, session)
    } catch (error) {
      say(text, `This did not work: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      this.#isSubscribing = false
    }
  }

  async #draw(): Promise<void> {
    const onTheirWay = new Set((await waiting()).map(({ alarm }) => alarm))
    const alarms = (await keptAlarms()).map(
      (alarm): Shown => ({ ...alarm, isWaiting: onTheirWay.has(alarm.id) }),
    )
    const isOpen = ({ acknowledgedBy, isWaiting }: Shown) => acknowledgedBy === null && !isWaiting
    const open = alarms
      .filter(isOpen)
      .sort((a, b) => Number(b.stands) - Number(a.stands) || rank(a.priority) - rank(b.priority))
    const create = (alarm: Shown) => card(alarm, () => this.#acknowledge(alarm))
    // Nobody can say of a display what waits for its carer.
    const isOfCarer = this.#session?.kind !== 'display'
    say(this.#openHead, isOfCarer ? waitingInWords(open.length, furtherOf(alarms), this.#isAlone) : '')
    patch(this.#open, open, ({ id }) => id, create, show)
    const rest = alarms.filter((alarm) => !isOpen(alarm)).slice(0, overMax)
    this.#restHead.hidden = rest.length === 0
    patch(this.#rest, rest, ({ id }) => id, create, show)
  }

  async #acknowledge(alarm: PhoneAlarm): Promise<void> {
    const sent = acknowledge(alarm)
    // It is kept by then, and shown as on its way.
    await this.#draw()
    if ((await sent) !== 'all') this.#later()
    await this.#draw()
  }

  async #send(): Promise<void> {
    if ((await send()) !== 'all') this.#later()
    await this.#draw()
  }

  #later(): void {
    clearTimeout(this.#again)
    this.#again = window.setTimeout(() => void this.#send(), againMs)
  }
}

const deviceWords: Readonly<Record<Standing, string>> = {
  ready: 'Alarms come to this phone.',
  unconfirmed: 'The ward has not confirmed that alarms come to this phone. Keep this page open.',
  'not asked': 'Alarms do not come to this phone yet.',
  refused: 'Notifications are blocked. Allow them for this address in the settings of the browser.',
  impossible: 'This browser cannot receive alarms. Keep this page open.',
}

/** How many wait for this person that the server has left out: it gives the most urgent ones. */
function furtherOf(alarms: readonly Shown[]): number {
  const here = alarms.filter(({ acknowledgedBy }) => acknowledgedBy === null).length
  return Math.max(0, ...alarms.map(({ openInAll = 0 }) => openInAll - here))
}

/** `isAlone`: without the ward nobody can say that nothing waits. */
function waitingInWords(shown: number, further: number, isAlone: boolean): string {
  if (shown === 0) return isAlone ? 'This phone has kept no alarm that waits' : 'Nothing waits for you'
  const more = further === 0 ? '' : `, and ${further} less urgent more`
  return `${plural(shown, 'alarm')} waiting for you${more}`
}

void new Phone().start()
