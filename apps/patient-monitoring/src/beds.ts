// To which ward a bed belongs: names of beds are unique in the hospital, and a bed is of the ward that it was first heard in, until somebody
// moves it. Here what comes in is refused early, and with a reason; qualify and board judge it again, by the order of the log.
import type { Database } from './database.js'
import type { PatientLimits } from './rules/limits.js'
import { patientOf, wardOf } from './views.js'

interface Known {
  readonly ward: Promise<string | undefined>
  readonly askedMs: number
}

/** After a move, readings of the old ward may be taken for so long, without effect. */
const knownMsMax = 10_000
/** Before something is refused it is asked again, and for whoever goes on trying no oftener than this. */
const refusedMsMax = 1_000
/** Of a ward that goes on trying it is noted so often. */
const notedMsMin = 10_000
/** Beyond them all are asked anew. */
const bedsMax = 10_000

export class Beds {
  readonly #database: Database
  readonly #known = new Map<string, Known>()
  /** When it was noted last that this ward was refused this bed, by `performance.now()`. */
  readonly #noted = new Map<string, number>()

  constructor(database: Database) {
    this.#database = database
  }

  /** Why this ward may not speak for this bed; undefined where it may. Where the database cannot say it may: it is judged again behind it. */
  async faultOf(ward: string, bed: string): Promise<string | undefined> {
    let own = await this.#wardOf(bed, knownMsMax)
    if (own !== undefined && own !== ward) own = await this.#wardOf(bed, refusedMsMax)
    if (own === undefined || own === ward) return undefined
    void this.#note(ward, bed)
    return `Bed ${bed} belongs to another ward than ${ward}. Names of beds are unique: give this one another name, or move it with PUT /wards/${ward}/beds/${bed}/place.`
  }

  /** Of the patient of a bed; undefined of one of which nothing was heard. Throws where the database cannot say. */
  async patientOf(bed: string): Promise<PatientLimits | undefined> {
    return (await patientOf(this.#database, bed))?.patient
  }

  /** Somebody must know: nothing of what is refused is an alarm. */
  async #note(ward: string, bed: string): Promise<void> {
    const [name, nowMs] = [`${bed} ${ward}`, performance.now()]
    if (nowMs - (this.#noted.get(name) ?? Number.NEGATIVE_INFINITY) < notedMsMin) return
    if (this.#noted.size >= bedsMax) this.#noted.clear()
    this.#noted.set(name, nowMs)
    const noting = this.#database.query(
      `INSERT INTO ward.refused (bed, ward, refused_at) VALUES ($1, $2, clock_timestamp())
       ON CONFLICT (bed, ward) DO UPDATE SET refused_at = excluded.refused_at`,
      [bed, ward],
    )
    await noting.catch(() => this.#noted.delete(name))
  }

  #wardOf(bed: string, msMax: number): Promise<string | undefined> {
    const nowMs = performance.now()
    const known = this.#known.get(bed)
    if (known !== undefined && nowMs - known.askedMs < msMax) return known.ward
    if (this.#known.size >= bedsMax) this.#known.clear()
    const ward = wardOf(this.#database, bed).catch(() => undefined)
    this.#known.set(bed, { ward, askedMs: nowMs })
    // Of one that is not known yet the next reading may know.
    void ward.then((found) => {
      if (found === undefined && this.#known.get(bed)?.ward === ward) this.#known.delete(bed)
    })
    return ward
  }
}
