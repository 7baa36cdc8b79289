import { defineConfig } from 'prisma/config';

// `prisma generate` and `prisma validate` insist on fetching a schema engine that they never start. Naming any existing
// program keeps both working offline; the tool has its own migration runner (src/store/migrations).
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
});
