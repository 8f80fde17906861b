// Every command, in the order in which help lists them. One that is named is loaded alone: all of them take as long as a short one runs.
import type { Command } from 'commander';

interface Entry {
  readonly names: readonly string[];
  readonly load: () => Promise<(program: Command) => void>;
}

const COMMANDS: readonly Entry[] = [
  { names: ['up'], load: async () => (await import('./commands/up.js')).registerUp },
  { names: ['down'], load: async () => (await import('./commands/down.js')).registerDown },
  { names: ['demo'], load: async () => (await import('./commands/demo.js')).registerDemo },
  { names: ['publish'], load: async () => (await import('./commands/publish.js')).registerPublish },
  { names: ['deploy'], load: async () => (await import('./commands/deploy.js')).registerDeploy },
  { names: ['migrate'], load: async () => (await import('./commands/migrate.js')).registerMigrate },
  { names: ['show'], load: async () => (await import('./commands/show.js')).registerShow },
  { names: ['executions'], load: async () => (await import('./commands/executions.js')).registerExecutions },
  { names: ['bulk'], load: async () => (await import('./commands/bulk.js')).registerBulk },
  { names: ['models'], load: async () => (await import('./commands/models.js')).registerModels },
  { names: ['budgets'], load: async () => (await import('./commands/budgets.js')).registerBudgets },
  { names: ['reviews', 'review'], load: async () => (await import('./commands/reviews.js')).registerReviews },
  { names: ['schedules'], load: async () => (await import('./commands/schedules.js')).registerSchedules },
  { names: ['keys'], load: async () => (await import('./commands/keys.js')).registerKeys },
  { names: ['tools'], load: async () => (await import('./commands/tools.js')).registerTools },
  { names: ['effects'], load: async () => (await import('./commands/effects.js')).registerEffects },
  { names: ['cancel', 'pause', 'resume', 'terminate', 'retry', 'fork', 'reset'], load: async () => (await import('./commands/operations.js')).registerOperations },
  { names: ['signal'], load: async () => (await import('./commands/signal.js')).registerSignal },
  { names: ['authorize'], load: async () => (await import('./commands/authorize.js')).registerAuthorize },
  { names: ['kill', 'revive', 'kills'], load: async () => (await import('./commands/kill.js')).registerKill },
  { names: ['audit'], load: async () => (await import('./commands/audit.js')).registerAudit },
  { names: ['archive'], load: async () => (await import('./commands/archive.js')).registerArchive },
  { names: ['db'], load: async () => (await import('./commands/db.js')).registerDb },
  { names: ['test'], load: async () => (await import('./commands/test.js')).registerTest },
  { names: ['bench'], load: async () => (await import('./commands/bench.js')).registerBench },
  { names: ['prove'], load: async () => (await import('./commands/prove.js')).registerProve },
  { names: ['simulate'], load: async () => (await import('./commands/simulate.js')).registerSimulate },
  { names: ['conformance'], load: async () => (await import('./commands/conformance.js')).registerConformance },
  { names: ['run'], load: async () => (await import('./commands/run.js')).registerRun },
  { names: ['lint'], load: async () => (await import('./commands/lint.js')).registerLint },
  { names: ['graph'], load: async () => (await import('./commands/graph.js')).registerGraph },
  { names: ['schema'], load: async () => (await import('./commands/schema.js')).registerSchema },
  { names: ['build'], load: async () => (await import('./commands/build.js')).registerBuild },
];

/** Registers the command of a name; for any other word, as help and suggestions need them, all. */
export async function registerCommands(program: Command, named: string | undefined): Promise<void> {
  const wanted = COMMANDS.find(({ names }) => named !== undefined && names.includes(named));
  for (const register of await Promise.all((wanted ? [wanted] : COMMANDS).map(({ load }) => load()))) register(program);
}
