// The standard's `run: container`. Source: Open Workflow Specification 1.0.3, dsl-reference.md#container-process.
import { parseDuration } from '@weft/workflow';
import type { Json } from '@weft/kernel';
import { reading, type Fields, type Reading } from './fields.js';
import { readProcessInput, type ProcessInput } from './process.js';

export interface ContainerRun extends ProcessInput {
  readonly image: string;
  /** Undefined: a name of its own. */
  readonly name: string | undefined;
  /** Text of a shell script; its arguments are $1, $2... Undefined: what the image runs. */
  readonly command: string | undefined;
  /** Port of the host to port of the container. */
  readonly ports: { readonly [host: string]: string };
  /** Name of a volume to path in the container. */
  readonly volumes: { readonly [volume: string]: string };
  readonly pull: 'missing' | 'always' | 'never';
  /** Milliseconds after its end that it is deleted; undefined: never. */
  readonly deletedAfterMs: number | undefined;
}

// What an engine takes for an option or for a path of the host is none of these.
const NAME = /^[A-Za-z0-9][\w.-]{0,127}$/;
const IMAGE = /^[A-Za-z0-9][\w./:@-]{0,255}$/;
const PORT = /^\d{1,5}(?:\/(?:tcp|udp))?$/;
const PATH = /^\/[^:,\u0000]*$/;

const PULLS = { ifNotPresent: 'missing', always: 'always', never: 'never' } as const;

export function readContainerRun(args: Json): Reading<ContainerRun> {
  return reading('a container', args, (fields) => {
    const image = fields.text('image');
    const name = fields.textOr('name', undefined);
    if (!IMAGE.test(image)) fields.fail('image', 'the name of an image', image);
    if (name !== undefined && !NAME.test(name)) fields.fail('name', 'a name of letters, digits, "_", "." and "-"', name);
    return {
      ...readProcessInput(fields),
      image,
      name,
      command: fields.textOr('command', undefined),
      ports: mapping(fields, 'ports', PORT, PORT, 'ports of the host to ports of the container'),
      volumes: mapping(fields, 'volumes', NAME, PATH, 'names of volumes to paths in the container: no folder of the host is mounted'),
      pull: PULLS[fields.oneOf('pullPolicy', ['ifNotPresent', 'always', 'never'] as const, 'ifNotPresent')],
      deletedAfterMs: deletedAfter(fields.fields('lifetime')),
    };
  });
}

function mapping(fields: Fields, name: string, key: RegExp, value: RegExp, what: string): { readonly [key: string]: string } {
  const given = fields.texts(name);
  const wrong = Object.entries(given).find(([from, to]) => !key.test(from) || !value.test(to));
  return wrong ? fields.fail(name, what, `${wrong[0]}: ${wrong[1]}`) : given;
}

function deletedAfter(lifetime: Fields): number | undefined {
  const cleanup = lifetime.oneOf('cleanup', ['always', 'never', 'eventually'] as const, 'never');
  if (cleanup !== 'eventually') return cleanup === 'always' ? 0 : undefined;
  const after = parseDuration(lifetime.get('after') ?? null);
  return after.ok ? after.ms : lifetime.fail('after', 'a duration', lifetime.get('after'));
}

/** The arguments of an engine that takes those of docker. @param idFile where the engine writes the id of the container once there is one. */
export function containerArguments(run: ContainerRun, name: string, idFile: string): readonly string[] {
  const pairs = (option: string, of: { readonly [key: string]: string }, between: string): string[] => Object.entries(of).flatMap(([key, value]) => [option, `${key}${between}${value}`]);
  return [
    'run',
    '--interactive',
    ...(run.deletedAfterMs === 0 ? ['--rm'] : []),
    '--cidfile',
    idFile,
    '--name',
    name,
    '--pull',
    run.pull,
    ...pairs('--publish', run.ports, ':'),
    ...pairs('--volume', run.volumes, ':'),
    ...pairs('--env', run.environment, '='),
    run.image,
    ...(run.command === undefined ? run.arguments : ['sh', '-c', run.command, 'sh', ...run.arguments]),
  ];
}
