import { defineConfig } from 'vitest/config';

// Decorator metadata is what Nest injects by; without it constructor injection is silently `undefined`.
export default defineConfig({
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: ['libs/**/*.spec.ts', 'services/**/*.spec.ts', 'tests/**/*.spec.ts', 'bench/**/*.spec.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', '.weft/**'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
