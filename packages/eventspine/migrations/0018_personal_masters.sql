-- additive: by which keys those of persons are enciphered, found without reading them all.
CREATE INDEX personal_key_master ON eventspine.personal_key (wrapped_by) WHERE wrapped IS NOT NULL;
