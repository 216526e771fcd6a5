// Secrets of devices, compared in a time that says nothing of them.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Credentials, Device } from './device.js'

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Where no such device is known, something is compared all the same. */
const nobody = digest('')

/** Devices that say their id as user name and their secret as password. Throws a TypeError for an empty secret, and for an
 *  id that no level of a topic can be: such a device could publish and hear nothing of its own. */
export function devicesBySecret(
  secrets: Readonly<Record<string, string>>,
): (credentials: Credentials) => Promise<Device | null> {
  const known = new Map(Object.entries(secrets).map(([id, secret]) => [id, digest(secret)]))
  for (const id of Object.keys(secrets))
    if (id === '' || /[/+#\p{Cc}]/u.test(id) || !id.isWellFormed())
      throw new TypeError(
        `A device cannot be called ${JSON.stringify(id)}: its id is a level of topics, and so not empty, and without "/", "+", "#" and control characters.`,
      )
  const empty = Object.entries(secrets).find(([, secret]) => secret === '')
  if (empty !== undefined) throw new TypeError(`The secret of device "${empty[0]}" is empty.`)
  return async ({ username = '', password = '' }) => {
    const fits = timingSafeEqual(known.get(username) ?? nobody, digest(password))
    return fits && known.has(username) ? { id: username } : null
  }
}
