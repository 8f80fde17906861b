// The schema that every policy is validated against.

/** Cedar schema of Weft. Ids of principals begin with their tenant: a workflow of another tenant is another one, whatever its name. */
export const CEDAR_SCHEMA = `
namespace Weft {
  entity Tenant;
  // "TENANT/key:ID", "TENANT/user:ID", "TENANT/service:NAME"
  entity User in [Tenant] { name: String };
  // "TENANT/NAMESPACE/NAME"
  entity Workflow in [Tenant] { tenant: String, namespace: String, name: String, version: String };
  // "TENANT/NAMESPACE/NAME/AGENT"
  entity Agent in [Workflow] { tenant: String, namespace: String, workflow: String, version: String, name: String };
  // "declared", or the name of a source such as an MCP server
  entity Source;
  entity Tool in [Source] { name: String, effect: String, data: String, pin: String };
  // "https://host:port", "grpc://host:port", "kafka://host:port", "stdio:COMMAND"
  entity Endpoint { scheme: String, host: String, method: String, effect: String };
  // "js", "python", "sh", or the image of a container
  entity Program { name: String, effect: String };
  // As documents name it.
  entity Secret { name: String };
  entity Model { model: String, host: String };
  // Arguments by JSON Pointer, apart by type.
  entity Texts tags String;
  entity Numbers tags Long;
  entity Flags tags Bool;
  entity Lists tags Set<String>;
  type Arguments = { text: Texts, number: Numbers, flag: Flags, list: Lists, names: Set<String> };
  type Asked = {
    actor: User,
    purpose: String,
    taint: Set<String>,
    untrusted: Bool,
    private: Bool,
    time: datetime,
    moneyLeft?: Long,
    tokensLeft?: Long,
    callsLeft?: Long,
    arguments: Arguments,
  };
  action call appliesTo { principal: [Workflow, Agent], resource: Tool, context: Asked };
  action http, openapi, grpc, asyncapi, mcp, a2a appliesTo { principal: [Workflow, Agent], resource: Endpoint, context: Asked };
  action script, shell, container appliesTo { principal: [Workflow, Agent], resource: Program, context: Asked };
  action secret appliesTo { principal: [Workflow, Agent], resource: Secret, context: Asked };
  action infer appliesTo { principal: [Workflow, Agent], resource: Model, context: Asked };
}
`;

/** The namespace of the schema. */
export const CEDAR_NAMESPACE = 'Weft';
