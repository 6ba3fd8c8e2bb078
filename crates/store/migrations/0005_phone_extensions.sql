-- What to dial once a lead's number has answered.
ALTER TABLE leads ADD COLUMN phone_extension TEXT;
