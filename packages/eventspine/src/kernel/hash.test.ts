import { expect, it } from 'vitest'
import { hash32 } from './hash.js'

it('is frozen: these values place keys on shards that exist in databases', () => {
  expect(['', 'a', '17850', '536365', 'München', '😀'].map(hash32)).toEqual([
    2872998923, 444641715, 4260058453, 1208507184, 2930259565, 1787143206,
  ])
})
