Feature: Function: `tool`
  Calls a tool of the registry.

  Scenario: a tool by its name
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-tool, version: '1.0.0' }
    do:
      - find: { call: tool, with: { name: find-pet, arguments: { id: 7 } } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    id: 7
    name: pet 7
    """

  Scenario: arguments that do not fit raise validation
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-tool, version: '1.0.0' }
    do:
      - attempt:
          try: [ { find: { call: tool, with: { name: find-pet, arguments: { id: seven } } } } ]
          catch: { errors: { with: { type: https://serverlessworkflow.io/spec/1.0.0/errors/validation } }, do: [ { mend: { set: { mended: true } } } ] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    mended: true
    """
