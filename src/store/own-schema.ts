/**
 * SQL: the oid of the schema that the session works in. Not `current_schema()::regnamespace`: that reads the name as an identifier, which
 * folds `CRM` to `crm` and takes `a.b` for two.
 */
export const OWN_SCHEMA = '(select oid from pg_namespace where nspname = current_schema())';
