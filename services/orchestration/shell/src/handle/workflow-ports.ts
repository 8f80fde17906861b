import type { RunSettings } from '@weft/nest-platform';
import { PUBLISHED_EXPRESSIONS, type WorkflowPorts } from '@weft/workflow';

/** How definitions are checked: as this deployment carries them out. */
export function workflowPorts({ WEFT_RUN_PYTHON: python, WEFT_RUN_SHELL: shell, WEFT_RUN_CONTAINER: container, WEFT_MCP_STDIO: mcpCommands }: RunSettings): WorkflowPorts {
  return { ...PUBLISHED_EXPRESSIONS, enabled: { python: python !== undefined, shell: shell !== undefined, container: container !== undefined, mcpCommands } };
}
