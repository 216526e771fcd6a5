// What a letter was sent with, where somebody edited its data: the event in the log does not tell.
import type { Redrive } from '../api/views.js'
import { Json } from '../parts/facts.js'

export const SentWith = ({ redrive: { edited, data } }: { readonly redrive: Redrive }) =>
  edited && (
    <>
      <h2>Sent with</h2>
      <Json label="Data that it was sent with" value={data} />
    </>
  )
