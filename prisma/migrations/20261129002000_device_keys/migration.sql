-- The key under which a device's credentials and keys lie, sealed under the secret key; null where that is the secret key itself.
-- A device's keys are named by a hash of what is not stored, so a new secret key cannot seal them anew: it seals their key.
alter table linked_devices add column device_key bytea;
