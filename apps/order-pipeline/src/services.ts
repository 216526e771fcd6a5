// The world outside, simulated: two services that a real pipeline would reach over the network. Like any good
// receiver they keep what they were given by its idempotency key, so that a repeat changes nothing.

class Receiver<Message> {
  readonly #received = new Map<string, Message>()

  async send(idempotencyKey: string, message: Message): Promise<void> {
    this.#received.set(idempotencyKey, message)
  }

  /** Takes back what has not gone out yet; nothing where it never came. */
  async withdraw(idempotencyKey: string): Promise<void> {
    this.#received.delete(idempotencyKey)
  }

  get received(): readonly Message[] {
    return [...this.#received.values()]
  }
}

/** Where the warehouse picks up what it has to pack. */
export const warehouseQueue = new Receiver<{ readonly number: string }>()

/** Where partners hear what became of an order. */
export const partnerBus = new Receiver<{ readonly invoice: string; readonly result: string }>()
