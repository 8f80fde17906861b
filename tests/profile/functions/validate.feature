Feature: Function: `validate`
  Judges a value. A failing verdict is an answer, not an error.

  Scenario: a value that does not fit fails, and the workflow goes on
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: function-validate, version: '1.0.0' }
    do:
      - judge: { call: validate, with: { value: { n: text }, schema: { type: object, properties: { n: { type: integer } } } } }
      - tell: { set: { verdict: "${ .verdict }" } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    verdict: fail
    """
