// Whether the money of a run is right: of each purchase that was wished for, what was charged is an order, or was given back.

/** A purchase as it stands in the end. */
export interface Purchase {
  readonly event: string
  readonly n: number
  /** What the bank has of it, by name. */
  readonly bookings: readonly string[]
  /** Of its workflow; null where there is none. */
  readonly state: string | null
}

/** The shop refuses some: their charge has to go back. */
export const isRefused = (n: number) => n % 30 === 7

/** One event in ten is a purchase. */
export const isPurchase = (n: number) => n % 10 === 7

/** Those that are wrong, in words. */
export function wrongPurchases(purchases: readonly Purchase[]): readonly string[] {
  return purchases.flatMap(({ event, n, bookings, state }) => {
    const expected = isRefused(n)
      ? { state: 'compensated', bookings: 'charge,refund' }
      : { state: 'completed', bookings: 'charge,order' }
    const found = [...bookings].sort().join()
    return state === expected.state && found === expected.bookings
      ? []
      : [`${event} is ${state ?? 'nowhere'} with ${found || 'nothing'}`]
  })
}
