-- additive: a key for each person whose data events hold. What is destroyed is destroyed here, and stays known by its id.
CREATE TABLE eventspine.personal_key (
  id text PRIMARY KEY,
  tenant text NOT NULL,
  person text NOT NULL,
  -- Enciphered by a key that the database does not have.
  wrapped text,
  -- Which one: a fingerprint.
  wrapped_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  erased_at timestamptz,
  CHECK ((wrapped IS NULL) = (erased_at IS NOT NULL))
);
CREATE UNIQUE INDEX personal_key_living ON eventspine.personal_key (tenant, person) WHERE wrapped IS NOT NULL;
CREATE INDEX personal_key_person ON eventspine.personal_key (tenant, person);
-- For a person's own events; others have no entry.
CREATE INDEX event_personal ON eventspine.event ((extensions ->> 'personalkey'), seq) WHERE extensions ->> 'personalkey' IS NOT NULL;
