import { embeddedExpression } from '@weft/jq';
import type { RunSettings } from '@weft/nest-platform';
import { checkExpression, parseWorkflow, type WorkflowReading } from '@weft/workflow';

/** Reads definitions as this deployment carries them out. */
export class DefinitionReading {
  constructor(private readonly settings: RunSettings) {}

  read(text: string): WorkflowReading {
    const { WEFT_RUN_PYTHON: python, WEFT_RUN_SHELL: shell, WEFT_RUN_CONTAINER: container, WEFT_MCP_STDIO: mcpCommands } = this.settings;
    const enabled = { python: python !== undefined, shell: shell !== undefined, container: container !== undefined, mcpCommands };
    return parseWorkflow(text, { checkExpression, embeddedExpression, enabled });
  }
}
