Feature: Task: `run`
  Runs another workflow, a script, a shell command or a container.

  Scenario: a script in JavaScript
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-run, version: '1.0.0' }
    do:
      - say: { run: { script: { language: js, code: 'console.log("hello")' }, return: stdout } }
    """
    When the workflow is executed
    Then the workflow should complete

  Scenario: a script that throws raises an error
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-run, version: '1.0.0' }
    do:
      - attempt:
          try: [ { say: { run: { script: { language: js, code: 'throw new Error("no")' } } } } ]
          catch: { errors: { with: { type: https://serverlessworkflow.io/spec/1.0.0/errors/runtime } }, do: [ { mend: { set: { mended: true } } } ] }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    mended: true
    """

  Scenario: another workflow, whose output is the task's
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-run, version: '1.0.0' }
    do:
      - child: { run: { workflow: { namespace: profile, name: task-run-child, version: 1.0.0, input: { n: "${ .n }" } } } }
    """
    And given the workflow input is:
    """yaml
    n: 20
    """
    And given a workflow that it may run:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-run-child, version: '1.0.0' }
    do:
      - add: { set: { n: '${ .n + 1 }' } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    n: 21
    """

  Scenario: the error of another workflow is raised at the task
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-run, version: '1.0.0' }
    do:
      - attempt:
          try: [ { child: { run: { workflow: { namespace: profile, name: task-run-broken, version: 1.0.0 } } } } ]
          catch: { do: [ { tell: { set: { type: "${ $error.type }", at: "${ $error.instance }" } } } ] }
    """
    And given a workflow that it may run:
    """yaml
    document: { dsl: '1.0.3', namespace: profile, name: task-run-broken, version: '1.0.0' }
    do:
      - fail: { raise: { error: { type: https://example.com/errors/broken, status: 500 } } }
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    type: https://example.com/errors/broken
    at: /do/0/attempt/try/0/child
    """
