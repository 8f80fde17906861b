import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from '../paths.js';
import { readFeature, readFeatureHead } from './feature-file.js';
import type { ProfileFeature } from './report.js';

const PROFILE = inRoot('tests', 'profile');

/** The features of the profile, in the order of their paths. */
export function profileFeatures(): readonly ProfileFeature[] {
  return globSync('**/*.feature', { cwd: PROFILE })
    .sort()
    .map((path) => {
      const text = readFileSync(join(PROFILE, path), 'utf8');
      return { path, head: readFeatureHead(text), scenarios: readFeature(text) };
    });
}
