import { embeddedExpression } from '@weft/jq';
import type { RunSettings } from '@weft/nest-platform';
import { checkExpression, type WorkflowPorts } from '@weft/workflow';

/** How definitions are checked where whatever they do is taken care of, as calls are answered by somebody else. */
export const EVERYTHING_ENABLED: WorkflowPorts = { checkExpression, embeddedExpression };

/** How definitions are checked: as this deployment carries them out. */
export function workflowPorts({ WEFT_RUN_PYTHON: python, WEFT_RUN_SHELL: shell, WEFT_RUN_CONTAINER: container, WEFT_MCP_STDIO: mcpCommands }: RunSettings): WorkflowPorts {
  return { ...EVERYTHING_ENABLED, enabled: { python: python !== undefined, shell: shell !== undefined, container: container !== undefined, mcpCommands } };
}
