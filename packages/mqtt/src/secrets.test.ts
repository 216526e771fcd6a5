import { expect, it } from 'vitest'
import { devicesBySecret } from './secrets.js'

const devices = devicesBySecret({ pump: 'a', scale: 'b' })
const asked = (username: string | undefined, password: string | undefined) =>
  devices({ ...{ clientId: 'x', address: undefined }, username, password })

it('knows a device by its id and its own secret', async () => {
  expect(await asked('pump', 'a')).toEqual({ id: 'pump' })
  for (const [username, password] of [
    ['pump', 'b'],
    ['pump', ''],
    ['pump', undefined],
    ['nobody', ''],
    ['', ''],
    [undefined, undefined],
    ['__proto__', ''],
  ] as const)
    expect(await asked(username, password)).toBeNull()
  expect(() => devicesBySecret({ pump: '' })).toThrow(/"pump" is empty/)
})

it.each(['', 'ward/pump', 'pump+', '#', 'pump\0', 'pump\n', 'pump\ud800'])(
  'knows none by the id %j',
  (id) => {
    expect(() => devicesBySecret({ [id]: 'a' })).toThrow(
      /A device cannot be called .*its id is a level of topics/,
    )
  },
)

it.each(['pump 7', 'püm$', '$pump', 'a'.repeat(200)])('knows one by the id %j', async (id) => {
  expect(
    await devicesBySecret({ [id]: 'a' })({ clientId: 'x', address: undefined, username: id, password: 'a' }),
  ).toEqual({ id })
})
