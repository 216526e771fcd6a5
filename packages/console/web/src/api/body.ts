// Bodies of requests.

/** JSON as a person wrote it. It is sent as it is: what a browser would make of it, such as null of 1e400 or the last of two
 *  properties of one name, is not what they wrote, and the server refuses it. */
export class Written {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What is wrong with it as JSON, as far as a browser says; undefined where it is JSON. */
export function faultOf({ text }: Written): string | undefined {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    return `This is not JSON: ${error instanceof Error ? error.message : String(error)}`
  }
}

/** The properties of a body may be `Written`, which has to be JSON. */
export function bodyText(body: unknown): string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return JSON.stringify(body)
  const properties = Object.entries(body).flatMap(([name, value]) => {
    const text = value instanceof Written ? value.text : JSON.stringify(value)
    return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`]
  })
  return `{${properties.join(',')}}`
}
