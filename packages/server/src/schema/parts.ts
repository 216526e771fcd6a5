// Parts that several routes share: paging, times, cells, names, and the shape of lists.
import { z } from 'zod'

/** Items in a page, on every paged route. */
export const pageItemsMax = 500

/** RFC 3339, as a Date. */
export const instant = z.iso
  .datetime({
    offset: true,
    error: 'must be an RFC 3339 time such as 2026-01-31T12:00:00Z ("+" in a URL is written %2B)',
  })
  .transform((text) => new Date(text))

// No store keeps NUL, and no log line should hold a line break.
const plainText = /^[^\u0000-\u001f\u007f]*$/

/** A text of one line, not empty. */
export const text = (charactersMax: number) =>
  z.string().min(1).max(charactersMax).regex(plainText, 'must not contain control characters')

const addressText = /^(?!\.{1,2}$)[^\u0000-\u001f\u007f]*$/

/** The same for what is a part of addresses, where `.` and `..` are none. */
export const addressPart = (charactersMax: number) =>
  z
    .string()
    .min(1)
    .max(charactersMax)
    .regex(addressText, 'must not contain control characters, nor be "." or ".."')

export const eventType = text(200).describe('Type of the event, such as orders.order-placed')
export const tenantName = text(100).describe('Tenant')
export const subscriptionName = text(100).describe('Name of the subscription')
export const identifier = text(400)
export const reasonText = text(1_000).describe('Why, for the audit')

const cell = text(100).describe('Cell (database) to ask. Default: the first')

export const cellQuery = z.strictObject({ cell: cell.optional() })

export const pageQuery = cellQuery.extend({
  cursor: text(500).describe('`cursor` of the page before. Opaque').optional(),
  limit: z.coerce.number().int().min(1).max(pageItemsMax).describe('Items in a page. Default 50').optional(),
})

export const noPath = z.strictObject({})
export const noQuery = z.strictObject({})
export const namePath = z.strictObject({ name: subscriptionName })
export const idPath = z.strictObject({ id: identifier })

/** `{ items }`, and `cursor` of the next page where a list is paged: null at its end. */
export const listOf = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item) })
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), cursor: z.string().nullable() })
