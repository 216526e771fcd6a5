// The phone of a carer before a real Chromium. It cannot be told which push service to use, so its subscription is replaced by one at that
// of the test, and what that has deciphered is handed to the worker by DevTools.
import type { Browser, BrowserContext, Worker } from 'playwright-core'
import { until } from '../../../test/spine.js'
import type { Received, Subscribed } from './push-service.js'
import { carer, narrow, type Scene, type Visit } from './scene.js'

const takenMsMax = 5_000
const triesMax = 4

interface Pushed extends Pick<Received, 'person' | 'acknowledge'> {
  readonly alarm: { readonly id: string; readonly [part: string]: unknown }
}

/** A person's phone: its page, subscribed at the push service of the test, and its worker. */
export class PhoneOf {
  readonly visit: Visit
  readonly #name: string
  readonly worker: Worker

  constructor(visit: Visit, name: string, worker: Worker) {
    this.visit = visit
    this.#name = name
    this.worker = worker
  }

  /** Hands over what the push service has deciphered for this phone. */
  async takes({ stage }: Scene, count: number): Promise<Received> {
    const mine = () => stage.push.received.filter(({ phone }) => phone === this.#name)
    const received = await until(() => mine()[count - 1])
    await this.pushed(received)
    return received
  }

  async pushed({ alarm, person, acknowledge }: Pushed): Promise<void> {
    const { page, context } = this.visit
    const session = await context.newCDPSession(page)
    const registration = new Promise<string>((resolve) => {
      session.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        if (registrations[0] !== undefined) resolve(registrations[0].registrationId)
      })
    })
    await session.send('ServiceWorker.enable')
    const message = {
      origin: new URL(page.url()).origin,
      registrationId: await registration,
      data: JSON.stringify({ alarm, person, acknowledge }),
    }
    const isTaken = async () => (await this.notifications()).some(({ tag }) => tag === alarm.id)
    // On a busy machine one was seen not to arrive; a push service, too, hands over again what was not taken.
    for (let tries = 1, taken = false; !taken; tries += 1) {
      await session.send('ServiceWorker.deliverPushMessage', message)
      taken = await until(isTaken, takenMsMax).catch((error: unknown) => {
        if (tries >= triesMax) throw error
        return false
      })
    }
  }

  notifications(): Promise<readonly { readonly title: string; readonly tag: string }[]> {
    return this.worker.evaluate(
      'self.registration.getNotifications().then((all) => all.map(({ title, tag }) => ({ title, tag })))',
    )
  }

  /** Of the one notification there is. */
  async pressesButton(): Promise<void> {
    await this.worker.evaluate(`self.registration.getNotifications().then(([notification]) =>
      self.dispatchEvent(new NotificationEvent('notificationclick', { notification, action: 'acknowledge' })))`)
  }

  /** Acknowledgements that are kept and not sent. */
  left(): Promise<number> {
    return this.worker.evaluate(`new Promise((resolve) => {
      const opening = indexedDB.open('ward')
      opening.onsuccess = () => {
        const counting = opening.result.transaction('outbox').objectStore('outbox').count()
        counting.onsuccess = () => resolve(counting.result)
      }
    })`)
  }
}

/** A phone to which alarms come. */
export async function withPhone(scene: Scene, browser: Browser, person: string): Promise<PhoneOf> {
  const name = `${person}-phone`
  const phone = await openPhone(scene, browser, person, [scene.stage.push.subscribe(name)])
  const { page } = phone.visit
  await page.getByRole('button', { name: 'Send alarms to this phone' }).click()
  await page.getByText('Alarms come to this phone.').waitFor()
  return phone
}

/** Its page, before anybody has asked for alarms; the browser will be given these subscriptions. */
export async function openPhone(
  scene: Scene,
  browser: Browser,
  person: string,
  subscribed: readonly Subscribed[],
): Promise<PhoneOf> {
  const visit = await scene.visit(browser, carer(person), {
    viewport: narrow,
    permissions: ['notifications'],
  })
  const worker = visit.context.serviceWorkers()[0] ?? (await visit.context.waitForEvent('serviceworker'))
  await subscribesAt(visit.context, subscribed)
  await visit.page.reload()
  return new PhoneOf(visit, `${person}-phone`, worker)
}

/** Where Chromium would ask the push service of its vendor, it is given subscriptions at that of the test, one after another; they stay over
 *  a reload. */
async function subscribesAt(context: BrowserContext, subscribed: readonly Subscribed[]): Promise<void> {
  await context.addInitScript(`{
    const all = ${JSON.stringify(subscribed)}
    const [mine, used] = ['test-subscription', 'test-subscriptions-used']
    const subscription = (at) => ({
      endpoint: all[at].endpoint,
      toJSON: () => all[at],
      unsubscribe: async () => {
        localStorage.removeItem(mine)
        return true
      },
    })
    PushManager.prototype.getSubscription = async () => {
      const at = localStorage.getItem(mine)
      return at === null ? null : subscription(Number(at))
    }
    PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
      if (!userVisibleOnly || applicationServerKey.length !== 87) throw new Error('no browser takes this')
      const at = Number(localStorage.getItem(used) ?? 0)
      if (at >= all.length) throw new Error('the test has no further subscription')
      localStorage.setItem(used, String(at + 1))
      localStorage.setItem(mine, String(at))
      return subscription(at)
    }
  }`)
}
