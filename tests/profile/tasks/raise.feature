Feature: Task: `raise`
  Raises an error, given in place or by name.

  Scenario: an error of `use.errors`, with an expression in it
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-raise, version: '1.0.0' }
    use:
      errors:
        broken: { type: https://example.com/errors/broken, status: 500, title: Broken, detail: "${ \"for \" + .who }" }
    do:
      - fail: { raise: { error: broken } }
    """
    And given the workflow input is:
    """yaml
    who: ada
    """
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://example.com/errors/broken
    status: 500
    title: Broken
    detail: for ada
    instance: /do/0/fail
    """
