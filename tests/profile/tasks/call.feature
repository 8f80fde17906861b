Feature: Task: `call`
  Calls an HTTP endpoint, an OpenAPI operation, a gRPC method, an AsyncAPI channel, an MCP server, an A2A agent, or a function.

  Scenario: an HTTP endpoint whose address is a template
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-call, version: '1.0.0' }
    do:
      - get: { call: http, with: { method: get, endpoint: "https://petstore.swagger.io/v2/pet/{petId}" } }
    """
    And given the workflow input is:
    """yaml
    petId: 2
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have a 'name' property with value:
    """yaml
    pet 2
    """

  Scenario: a status that is no success raises communication
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-call, version: '1.0.0' }
    do:
      - get: { call: http, with: { method: get, endpoint: "https://petstore.swagger.io/v2/pet/99" } }
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://serverlessworkflow.io/spec/1.0.0/errors/communication
    status: 404
    instance: /do/0/get
    """

  Scenario: an OpenAPI operation
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-call, version: '1.0.0' }
    do:
      - get: { call: openapi, with: { document: { endpoint: https://petstore.swagger.io/v2/swagger.json }, operationId: getPetById, parameters: { petId: "${ .petId }" } } }
    """
    And given the workflow input is:
    """yaml
    petId: 3
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have a 'name' property with value:
    """yaml
    pet 3
    """

  Scenario: a function of the document
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-call, version: '1.0.0' }
    use:
      functions:
        double: { input: { from: "{ n: (.n * 2) }" }, set: { n: "${ .n }" } }
    do:
      - twice: { call: double, with: { n: 21 } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    n: 42
    """
