Feature: Rule 9: an error that no catch takes is raised again as it was
  A `catch` that does not take an error leaves it as it is: its type, its details, and the pointer of the task that raised it as `instance`.

  Scenario: an uncaught error keeps the pointer of the task that raised it
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: profile
      name: rule-09
      version: '1.0.0'
    do:
      - attempt:
          try: [ { fail: { raise: { error: { type: https://example.com/errors/broken, status: 500, title: Broken } } } } ]
          catch:
            errors: { with: { status: 404 } }
            do: [ { never: { set: { n: 1 } } } ]
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://example.com/errors/broken
    status: 500
    title: Broken
    instance: /do/0/attempt/try/0/fail
    """
    And never should not run
