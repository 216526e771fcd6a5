// Secrets of devices, compared in a time that says nothing of them.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Credentials, Device } from './device.js'

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Where no such device is known, something is compared all the same. */
const nobody = digest('')

/** Devices that say their id as user name and their secret as password. Throws a TypeError for an empty secret. */
export function devicesBySecret(
  secrets: Readonly<Record<string, string>>,
): (credentials: Credentials) => Promise<Device | null> {
  const known = new Map(Object.entries(secrets).map(([id, secret]) => [id, digest(secret)]))
  const empty = Object.entries(secrets).find(([, secret]) => secret === '')
  if (empty !== undefined) throw new TypeError(`The secret of device "${empty[0]}" is empty.`)
  return async ({ username = '', password = '' }) => {
    const fits = timingSafeEqual(known.get(username) ?? nobody, digest(password))
    return fits && known.has(username) ? { id: username } : null
  }
}
