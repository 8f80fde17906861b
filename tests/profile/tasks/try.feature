Feature: Task: `try`
  Catches errors of its tasks, and tries again.

  Scenario: an error that is caught
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-try, version: '1.0.0' }
    do:
      - attempt: { try: [ { fail: { raise: { error: { type: https://example.com/errors/broken, status: 500 } } } } ], catch: { as: problem, do: [ { mend: { set: { status: "${ $problem.status }" } } } ] } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    status: 500
    """
